package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

func openPostgres(t *testing.T, database string, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.OpenPostgres(t.Context(), database, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// TestPostgresTypesOfTheProgram: CI tests over a pgx that knows no more types than in the program that is built for
// users (TAGS in the Makefile).
func TestPostgresTypesOfTheProgram(t *testing.T) {
	if _, known := pgtype.NewMap().TypeForValue(int32(0)); known && os.Getenv("CI") == "true" {
		t.Error("pgx has registered its types, so that statements may pass here that fail in the program: run 'make test', or go test with the Makefile's TAGS")
	}
}

// TestPostgresStart: of many servers that start on an empty database at once, one makes the schema; tables of others
// stay as they are.
func TestPostgresStart(t *testing.T) {
	database := pgtest.Database(t)
	pgtest.Exec(t, database, "CREATE TABLE public.sessions (theirs text)")
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() {
			store, err := sqlstore.OpenPostgres(t.Context(), database, sqlstore.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer store.Close()
			if err := put(t, store, 1); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	pgtest.Exec(t, database, "INSERT INTO public.sessions (theirs) VALUES ('still here')")
	count := pgtest.Value(t, database, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
	if count != "1" {
		t.Errorf("%s tables in the schema public, want 1", count)
	}
}

// TestPostgresSecrets: whatever is wrong with a connection, no error tells the password.
func TestPostgresSecrets(t *testing.T) {
	live := pgtest.Database(t)
	wrong, err := url.Parse(live)
	if err != nil {
		t.Fatal(err)
	}
	wrong.User = url.UserPassword("jot", "hunter2")
	for name, connection := range map[string]string{
		"wrong password":   wrong.String(),
		"nobody listens":   "postgres://jot:hunter2@127.0.0.1:1/jot",
		"no such port":     "postgres://jot:hunter2@127.0.0.1:port/jot",
		"broken escape":    "postgres://jot:hunter2%zz@127.0.0.1/jot",
		"slash":            "postgres://jot:hunter2/more@127.0.0.1/jot",
		"unknown mode":     "postgres://jot:hunter2@127.0.0.1/jot?sslmode=hunter2",
		"two schemas":      wrong.String() + "?search_path=hunter2,public",
		"as words":         "user=jot password=hunter2 host=127.0.0.1",
		"another database": "mysql://jot:hunter2@127.0.0.1/jot",
		"unencrypted":      "postgres://jot:hunter2@db.example.com/jot",
		"in the query":     "postgres://127.0.0.1:1/jot?user=jot&password=hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlstore.OpenPostgres(t.Context(), connection, sqlstore.Options{})
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want one without the password", err)
			}
		})
	}
}

// TestPostgresLocked: a row that somebody keeps locked is unavailable, and isn't waited for longer than it was said.
func TestPostgresLocked(t *testing.T) {
	database := pgtest.Database(t)
	one := openPostgres(t, database, sqlstore.Options{})
	two := openPostgres(t, database, sqlstore.Options{BusyTimeout: 50 * time.Millisecond})
	err := one.Update(t.Context(), func(tx issuer.Tx) error {
		if err := tx.PutSetting("a", 1); err != nil {
			return err
		}
		if err := put(t, two, 2); !errors.Is(err, issuer.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := put(t, two, 2); err != nil {
		t.Error(err)
	}
}

// TestPostgresImpatient: who stops waiting for a lock doesn't hold up others, neither in the pool nor on the server.
func TestPostgresImpatient(t *testing.T) {
	// Only those who are given up may be impatient, however busy the machine is.
	store := openPostgres(t, pgtest.Database(t)+"?statement_timeout=60000&idle_in_transaction_session_timeout=60000", sqlstore.Options{Writers: 2, BusyTimeout: time.Minute})
	if err := put(t, store, 1); err != nil {
		t.Fatal(err)
	}
	err := store.Update(t.Context(), func(tx issuer.Tx) error {
		if err := tx.PutSetting("a", 2); err != nil {
			return err
		}
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			err := store.Update(ctx, func(tx issuer.Tx) error {
				return errors.Join(tx.PutSetting("b", 1), tx.PutSetting("a", 3))
			})
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, issuer.ErrUnavailable) {
				t.Errorf("error %v, want DeadlineExceeded", err)
			}
		}
		return tx.PutSetting("b", 2)
	})
	if err != nil {
		t.Error(err)
	}
}

// TestPostgresStops: while the database is stopped everything is unavailable; afterwards the same Store goes on.
func TestPostgresStops(t *testing.T) {
	cluster := pgtest.Start(t)
	store := openPostgres(t, cluster.Database(t), sqlstore.Options{})
	if err := put(t, store, 1); err != nil {
		t.Fatal(err)
	}
	cluster.Stop()
	if err := put(t, store, 2); !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("Update: %v, want ErrUnavailable", err)
	}
	if err := store.View(t.Context(), func(issuer.Reader) error { return nil }); !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("View: %v, want ErrUnavailable", err)
	}
	if err := store.ViewAccounts(t.Context(), func(accounts.Reader) error { return nil }); !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("ViewAccounts: %v, want ErrUnavailable", err)
	}
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	if err := put(t, store, 3); err != nil {
		t.Error(err)
	}
}

// TestPostgresStandby: who was led to a server that takes no changes doesn't stay there.
func TestPostgresStandby(t *testing.T) {
	database := pgtest.Database(t)
	store := openPostgres(t, database, sqlstore.Options{})
	name := pgtest.Value(t, database, "SELECT current_database()")
	pgtest.Exec(t, database, "ALTER DATABASE "+name+" SET default_transaction_read_only = on") // for connections from now on
	pgtest.Exec(t, database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	for { // the connections of before end soon
		err := put(t, store, 1)
		if err != nil && strings.Contains(err.Error(), "25006") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	pgtest.Exec(t, database, "BEGIN READ WRITE; ALTER DATABASE "+name+" RESET default_transaction_read_only; COMMIT")
	if err := put(t, store, 2); err != nil {
		t.Error(err)
	}
}

// TestLostCommit: when only the answer of a commit is lost, the caller is told that something is wrong, and everything
// is there.
func TestLostCommit(t *testing.T) {
	proxy := pgtest.NewProxy(t, pgtest.Database(t))
	store := openPostgres(t, proxy.URL, sqlstore.Options{})
	proxy.LoseNextCommit()
	err := store.Update(t.Context(), func(tx issuer.Tx) error { return errors.Join(tx.PutSetting("a", 7), tx.PutSetting("b", 7)) })
	if !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	err = store.View(t.Context(), func(r issuer.Reader) error {
		a, err1 := r.Setting("a")
		b, err2 := r.Setting("b")
		if a != 7 || b != 7 {
			t.Errorf("settings %d, %d, want 7", a, b)
		}
		return errors.Join(err1, err2)
	})
	if err != nil {
		t.Error(err)
	}
}

// TestNoDeadlock: transactions that cross take their locks in one order, so that none has to start over.
func TestNoDeadlock(t *testing.T) {
	database := pgtest.Database(t)
	// Nobody is impatient, however busy the machine is.
	store := openPostgres(t, database+"?statement_timeout=60000&idle_in_transaction_session_timeout=60000", sqlstore.Options{BusyTimeout: time.Minute})
	err := store.Update(t.Context(), func(tx issuer.Tx) error {
		return errors.Join(tx.PutLogHead(revocation.NewLog("log")), tx.InsertSubject(issuer.Subject{ID: "ann", Generation: 1}),
			tx.InsertSession(issuer.Session{ID: "s", Subject: "ann"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for n := range 16 {
		wait.Go(func() {
			for range 20 {
				if err := store.Update(t.Context(), crossings[n%len(crossings)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	store.Close() // so that the server counts
	for range 100 {
		ended := pgtest.Value(t, database, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'jot' AND datname = current_database()")
		if ended == "0" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := pgtest.Value(t, database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n != "0" {
		t.Errorf("%s deadlocks", n)
	}
}

func endAll(tx issuer.Tx) error {
	_, err := tx.EndSessions("ann", issuer.Ending{Before: 1}, 1000)
	return err
}

var crossings = []func(issuer.Tx) error{
	func(tx issuer.Tx) error { // a refresh
		session, _, err1 := tx.Session("s")
		_, err2 := tx.Subject("ann")
		return errors.Join(err1, err2, tx.InsertEvent(issuer.Event{}), tx.UpdateSession(session))
	},
	func(tx issuer.Tx) error { // a logout everywhere
		subject, err := tx.Subject("ann")
		_, err1 := tx.LogHead()
		return errors.Join(err, tx.InsertEvent(issuer.Event{}), tx.UpdateSubject(subject), endAll(tx), err1)
	},
	func(tx issuer.Tx) error {
		return errors.Join(tx.InsertEvent(issuer.Event{}), endAll(tx))
	},
	func(tx issuer.Tx) error { // a login
		_, err := tx.Subject("ann")
		return errors.Join(err, tx.InsertSession(issuer.Session{ID: fmt.Sprint(time.Now().UnixNano(), &err), Subject: "ann"}))
	},
}

// TestPostgresHoldsSessionsInOneOrder: who waits for a session of the first subject has none of the next one's yet,
// however they were asked for.
func TestPostgresHoldsSessionsInOneOrder(t *testing.T) {
	database := pgtest.Database(t)
	// Nobody is impatient, however busy the machine is.
	store := openPostgres(t, database+"?statement_timeout=60000&idle_in_transaction_session_timeout=60000", sqlstore.Options{BusyTimeout: time.Minute})
	err := store.Update(t.Context(), func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(issuer.Subject{ID: "ann"}), tx.InsertSubject(issuer.Subject{ID: "bob"}),
			tx.InsertSession(issuer.Session{ID: "z", Subject: "ann"}), tx.InsertSession(issuer.Session{ID: "a", Subject: "bob"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	both := make(chan error, 1)
	err = store.Update(t.Context(), func(tx issuer.Tx) error {
		if _, _, err := tx.Session("z"); err != nil {
			return err
		}
		go func() {
			both <- store.Update(t.Context(), func(tx issuer.Tx) error { return tx.HoldSessions([]string{"a", "z"}) })
		}()
		for pgtest.Value(t, database, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == "0" {
			time.Sleep(10 * time.Millisecond)
		}
		pgtest.Exec(t, database, "SELECT FROM jot.sessions JOIN jot.subjects ON sessions.subject = subjects.id WHERE subjects.id = 'bob' FOR UPDATE NOWAIT")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-both; err != nil {
		t.Error(err)
	}
}
