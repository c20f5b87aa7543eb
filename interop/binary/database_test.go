//go:build unix

package binary

import (
	"path/filepath"
	"testing"

	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/programs"
)

// database is an empty one of a PostgreSQL that ends with the test.
func database(t *testing.T) (url string) {
	t.Helper()
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) == 0 {
		machine.Missing(t, "PostgreSQL is missing: run .ci/prepare")
	}
	cluster, err := programs.StartCluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	url, err = cluster.Database(t.Context(), "jot")
	if err != nil {
		t.Fatal(err)
	}
	return url
}
