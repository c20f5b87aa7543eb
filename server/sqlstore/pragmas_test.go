package sqlstore

import (
	"path/filepath"
	"testing"
)

// TestPragmas checks on every connection what durability and integrity rest on.
func TestPragmas(t *testing.T) {
	store, err := Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), Options{Readers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for name, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "2000", "trusted_schema": "0", "query_only": "",
	} {
		for role, db := range map[string]pool{"writer": store.writer, "reader": store.reader} {
			if name == "query_only" {
				want = map[string]string{"writer": "0", "reader": "1"}[role]
			}
			var got string
			err := store.transact(t.Context(), db, func(t *tx) error { return t.row("PRAGMA " + name).Scan(&got) })
			if err != nil || got != want {
				t.Errorf("%s of the %s is %q, %v, want %q", name, role, got, err, want)
			}
		}
	}
	if n := cap(store.writer.(*sqlitePool).places); n != 1 {
		t.Errorf("%d connections write, want 1", n)
	}
}
