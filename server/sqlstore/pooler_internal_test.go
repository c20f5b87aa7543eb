package sqlstore

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/pgtest"
)

// TestNoticesPooler: whatever a pooler does with our settings, it's noticed, and everything has a schema and a limit of
// time all the same.
func TestNoticesPooler(t *testing.T) {
	direct := pgtest.Database(t)
	for name, c := range map[string]struct {
		connection string
		pooler     bool
	}{
		"none":                              {direct, false},
		"refuses settings":                  {pgtest.Bouncer(t, direct, "transaction"), true},
		"refuses settings, keeps sessions":  {pgtest.Bouncer(t, direct, "session"), true},
		"takes no notice of settings":       {pgtest.Bouncer(t, direct, "transaction", "ignore_startup_parameters = "+ignored(t, direct)), true},
		"isn't to be noticed, but is named": {direct + "?pool_mode=transaction", true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			config, err := parsePostgres(c.connection, Options{}.complete(1, 1))
			if err != nil {
				t.Fatal(err)
			}
			if err := config.notice(ctx); err != nil || config.pooler != c.pooler {
				t.Fatalf("a pooler: %v, want %v (%v)", config.pooler, c.pooler, err)
			}
			store, err := OpenPostgres(ctx, c.connection, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			settings := "read committed/off/jot/10000/2000/10000/" + config.RuntimeParams["timezone"]
			checkSettings(t, store, store.writer, settings)
			checkSettings(t, store, store.reader, strings.Replace(settings, "read committed/off", "repeatable read/on", 1))
			if s, err := ReadSchema(ctx, c.connection); err != nil || s.Version != s.Newest || len(s.Pending) > 0 {
				t.Errorf("the schema is %+v, %v", s, err)
			}
		})
	}
}

// TestSmallPool: servers that start at once share two connections, and one alone is too few, which is said.
func TestSmallPool(t *testing.T) {
	direct := pgtest.Database(t)
	small := pgtest.Bouncer(t, direct, "transaction", "default_pool_size = 2")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			store, err := OpenPostgres(t.Context(), small, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			store.Close()
		})
	}
	all.Wait()
	config, err := parsePostgres(small, Options{}.complete(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := config.notice(t.Context()); err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0" // what is in use stays so, however busy the machine is
	db := connections(config, 3)
	defer db.Close()
	for inUse, wait := range []time.Duration{time.Minute, time.Minute, 100 * time.Millisecond} {
		err := anotherConnection(t.Context(), db, wait)
		if tooFew := inUse == 2; tooFew != (err != nil) || err != nil && !strings.Contains(err.Error(), "default_pool_size") {
			t.Errorf("beside %d connections in use: %v", inUse, err)
		}
		if err != nil {
			break
		}
		user, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer user.Rollback()
	}
}

// TestOptionsBehindPooler: what a pooler would refuse, or lose, is refused with what to write instead.
func TestOptionsBehindPooler(t *testing.T) {
	direct := pgtest.Database(t)
	const options = "?options=-c%20work_mem%3D8MB"
	for name, connection := range map[string]string{
		"noticed": pgtest.Bouncer(t, direct, "transaction") + options, "named": direct + options + "&pool_mode=transaction",
	} {
		if _, err := OpenPostgres(t.Context(), connection, Options{}); err == nil || !strings.Contains(err.Error(), "name each setting by itself") {
			t.Errorf("%s: %v", name, err)
		}
	}
	store, err := OpenPostgres(t.Context(), direct+options, Options{})
	if err != nil {
		t.Fatal(err)
	}
	store.Close()
}

// ignored are the settings that we send, for a pooler to ignore.
func ignored(t *testing.T, connection string) string {
	t.Helper()
	config, err := parsePostgres(connection, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range config.RuntimeParams {
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// checkSettings asks several times, since the second transaction may have another connection of the pooler's.
func checkSettings(t *testing.T, store *Store, p pool, want string) {
	t.Helper()
	for range 3 {
		var found string
		err := store.transact(t.Context(), p, func(t *tx) error {
			return t.row(`SELECT concat_ws('/', current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_schema(),
				(SELECT string_agg(setting, '/' ORDER BY name) FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout')),
				current_setting('timezone'))`).Scan(&found)
		})
		if err != nil || found != want {
			t.Errorf("the settings are %s, want %s: %v", found, want, err)
		}
	}
}
