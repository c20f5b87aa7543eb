package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/issuer/storetest"
	"github.com/jot-auth/jot/server/sqlstore"
)

func TestStore(t *testing.T) {
	directory := t.TempDir()
	storetest.Run(t, func(t *testing.T) issuer.Store {
		store, err := sqlstore.Open(t.Context(), filepath.Join(directory, filepath.Base(t.Name()), "jot.db"), sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}
