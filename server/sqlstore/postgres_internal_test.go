package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
)

func TestEncryption(t *testing.T) {
	for _, test := range []struct {
		host, mode string
		accepted   bool
	}{
		{"db.example.com", "", false},
		{"db.example.com", "prefer", false},
		{"db.example.com", "allow", false},
		{"192.0.2.1", "", false},
		{"localhost,db.example.com", "", false},
		{"db.example.com", "require", true},
		{"db.example.com", "verify-full", true},
		{"db.example.com", "disable", true},
		{"localhost", "", true},
		{"127.0.0.1", "", true},
		{"[::1]", "", true},
	} {
		connection := "postgres://jot:pw@" + test.host + "/jot"
		if test.mode != "" {
			connection += "?sslmode=" + test.mode
		}
		_, err := parsePostgres(connection, Options{})
		if (err == nil) != test.accepted || err != nil && !strings.Contains(err.Error(), "sslmode=verify-full") {
			t.Errorf("host %s, mode %q: %v", test.host, test.mode, err)
		}
	}
}

func TestExplainPostgres(t *testing.T) {
	for code, want := range map[string]error{
		"23505": issuer.ErrTaken, "23503": issuer.ErrNotFound, "40001": issuer.ErrBusy, "40P01": issuer.ErrBusy,
		"53100": issuer.ErrFull, "53300": issuer.ErrUnavailable, "57P01": issuer.ErrUnavailable, "57P03": issuer.ErrUnavailable,
		"57014": issuer.ErrUnavailable, "55P03": issuer.ErrUnavailable, "25006": issuer.ErrUnavailable, "08006": issuer.ErrUnavailable,
		"28P01": issuer.ErrUnavailable, "3D000": issuer.ErrUnavailable, "58030": issuer.ErrUnavailable, "XX001": issuer.ErrUnavailable,
	} {
		err := fmt.Errorf("query: %w", &pgconn.PgError{Code: code})
		if got := explain(t.Context(), err); !errors.Is(got, want) {
			t.Errorf("code %s is %v, want %v", code, got, want)
		}
	}
	for _, code := range []string{"42601", "22021", ""} {
		got := explain(t.Context(), &pgconn.PgError{Code: code})
		for _, other := range []error{issuer.ErrTaken, issuer.ErrNotFound, issuer.ErrUnavailable, issuer.ErrBusy} {
			if errors.Is(got, other) {
				t.Errorf("code %q is %v, which isn't true", code, got)
			}
		}
	}
}

// lateContext is past its deadline, and its timer hasn't noticed: a connection with the same deadline may be ahead of
// it.
type lateContext struct{ context.Context }

func (lateContext) Deadline() (time.Time, bool) { return time.Now().Add(-time.Microsecond), true }

// TestExplainLate: who gave up is told so, whichever clock was first.
func TestExplainLate(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	late, patient := explain(lateContext{t.Context()}, refused), explain(t.Context(), refused)
	if !errors.Is(late, context.DeadlineExceeded) || errors.Is(late, issuer.ErrUnavailable) {
		t.Errorf("past its deadline: %v, want DeadlineExceeded", late)
	}
	if !errors.Is(patient, issuer.ErrUnavailable) {
		t.Errorf("before it: %v, want ErrUnavailable", patient)
	}
}

// TestWatch: the database tells who watches of a rule and of a key that another server wrote, and of nothing that was
// rolled back or that it wrote itself.
func TestWatch(t *testing.T) {
	database := pgtest.Database(t)
	ours, err := OpenPostgres(t.Context(), database, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs, err := OpenPostgres(t.Context(), database, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	ours.watch.interval = time.Hour // being told is all that can help
	ctx, stop := context.WithCancel(t.Context())
	heard, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ours.Watch(ctx, func() {
			select {
			case heard <- struct{}{}:
			case <-ctx.Done():
			}
		})
	}()
	<-heard // it listens
	for name, write := range map[string]func(issuer.Tx) error{
		"rule": func(tx issuer.Tx) error { return tx.PutLogHead(revocation.NewLog("log")) },
		"key":  func(tx issuer.Tx) error { return tx.InsertKey(issuer.Key{ID: "k"}) },
	} {
		no := errors.New("no")
		err := theirs.Update(t.Context(), func(tx issuer.Tx) error { return errors.Join(write(tx), no) })
		if !errors.Is(err, no) {
			t.Error(err)
		}
		own := ours.Update(t.Context(), func(tx issuer.Tx) error { return tx.PutLogHead(revocation.NewLog("own")) })
		select {
		case <-heard:
			t.Errorf("%s: told of what was rolled back, or of its own", name)
		default:
		}
		if own != nil {
			t.Error(own)
		}
		if err := theirs.Update(t.Context(), write); err != nil {
			t.Error(err)
		}
		<-heard
	}
	if err := theirs.Update(t.Context(), func(tx issuer.Tx) error { return tx.InsertKey(issuer.Key{ID: "k2"}) }); err != nil {
		t.Error(err)
	}
	<-heard // were one of its own before it, theirs would still be to come
	select {
	case <-heard:
		t.Error("told of its own")
	default:
	}
	stop()
	<-ended
}

// TestMigrationPatience: a table that stays in use ends a migration, with what to do about it, and anything else ends
// it at once.
func TestMigrationPatience(t *testing.T) {
	if wait := (Options{}).complete(1, 1).BusyTimeout; migrationWait >= wait {
		t.Errorf("a migration waits for %v, and servers that wait behind it for %v only", migrationWait, wait)
	}
	for code, want := range map[string]string{"55P03": "a table was in use for 30s", "40P01": "a table was in use for 30s", "42601": ""} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			err := amongTransactions(t.Context(), func() error {
				attempts++
				return &pgconn.PgError{Code: code}
			})
			if err == nil || !strings.Contains(err.Error(), want) || (attempts > 1) != (want != "") {
				t.Errorf("code %s: after %d attempts: %v", code, attempts, err)
			}
		})
	}
}
