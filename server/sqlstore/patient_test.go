package sqlstore

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestPatientReader: nobody waits longer for a connection than they want to, and who goes away amid a View leaves its
// connection whole.
func TestPatientReader(t *testing.T) {
	store, err := Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), Options{Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	gone, leave := context.WithCancel(t.Context())
	err = store.View(gone, func(r issuer.Reader) error {
		waiting, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := store.View(waiting, func(issuer.Reader) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second View on one connection: %v", err)
		}
		leave()
		_, err := r.Subject("nobody")
		return err
	})
	if !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("amid a View: %v", err)
	}
	if err := store.View(gone, func(issuer.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("before a View: %v", err)
	}
	if err := store.View(t.Context(), func(r issuer.Reader) error { _, err := r.Keys(); return err }); err != nil {
		t.Errorf("after it: %v", err)
	}
}
