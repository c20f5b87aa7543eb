package sqlstore

import (
	"errors"
	"testing"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
)

// TestLateFault: a statement that PostgreSQL refuses when nobody waits for it any more is what the Update fails with,
// also where it travelled with the COMMIT or where the function goes on, and nothing of the Update is there.
func TestLateFault(t *testing.T) {
	store, err := OpenPostgres(t.Context(), pgtest.Database(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	orphan := issuer.Session{ID: "s", Subject: "nobody"}
	for name, after := range map[string]func(issuer.Tx){
		"commit":  func(issuer.Tx) {},
		"reading": func(tx issuer.Tx) { _, _ = tx.Subject("nobody") },
		"writing": func(tx issuer.Tx) { _ = tx.PutSetting("b", 2) },
	} {
		err := store.Update(t.Context(), func(tx issuer.Tx) error {
			if err := tx.PutSetting("a", 1); err != nil {
				return err
			}
			if err := tx.InsertSession(orphan); err != nil {
				return err
			}
			after(tx)
			return nil
		})
		if !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound: the session has no subject", name, err)
		}
		err = store.View(t.Context(), func(r issuer.Reader) error { _, err := r.Setting("a"); return err })
		if !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("%s: what came before is there: %v", name, err)
		}
	}
}
