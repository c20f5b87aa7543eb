package sqlstore_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestDiskFull: a SQLite database that can't grow is unavailable for who writes, loses nothing, goes on to be read, and
// works again when there is room.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jot.db")
	store := open(t, path, sqlstore.Options{})
	if err := put(t, store, 1); err != nil {
		t.Fatal(err)
	}
	if err := store.LimitPages(t.Context(), 60); err != nil {
		t.Fatal(err)
	}
	var full error
	written := 0
	for ; full == nil && written < 1000; written++ {
		full = store.Update(t.Context(), func(tx issuer.Tx) error {
			return errors.Join(tx.PutSetting("written", int64(written)), tx.InsertEvent(issuer.Event{Detail: strings.Repeat("x", 4000)}))
		})
	}
	if !errors.Is(full, issuer.ErrFull) || !errors.Is(full, issuer.ErrUnavailable) {
		t.Fatalf("error %v after %d events, want ErrFull", full, written)
	}
	check := func() {
		t.Helper()
		err := store.View(t.Context(), func(r issuer.Reader) error {
			events, err1 := r.Events(issuer.EventFilter{}, 0, 1000)
			last, err2 := r.Setting("written")
			if len(events) != written-1 || last != int64(written-2) {
				t.Errorf("%d events, the last one number %d; %d were written", len(events), last, written-1)
			}
			return errors.Join(err1, err2)
		})
		if err != nil {
			t.Error(err)
		}
	}
	check()
	if err := store.LimitPages(t.Context(), 1<<30); err != nil {
		t.Fatal(err)
	}
	store.Close()
	store = open(t, path, sqlstore.Options{})
	check()
	if err := put(t, store, 2); err != nil {
		t.Error(err)
	}
}
