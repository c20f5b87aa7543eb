//go:build unix

package machine

import (
	"testing"

	"github.com/jot-auth/jot/interop/programs"
)

// Database is the URL of an empty one, of a PostgreSQL that ends with the test.
func Database(t *testing.T) string {
	t.Helper()
	Need(t, "run .ci/prepare", "/usr/lib/postgresql/*/bin/postgres")
	cluster, err := programs.StartCluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	url, err := cluster.Database(t.Context(), "jot")
	if err != nil {
		t.Fatal(err)
	}
	return url
}
