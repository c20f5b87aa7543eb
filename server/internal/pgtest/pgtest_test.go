//go:build unix

package pgtest_test

import (
	"testing"

	"github.com/jot-auth/jot/server/internal/pgtest"
)

// TestRestart: what was written is there again after the server was stopped.
func TestRestart(t *testing.T) {
	cluster := pgtest.Start(t)
	database := cluster.Database(t)
	pgtest.Exec(t, database, "CREATE TABLE one (n bigint)")
	cluster.Stop()
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, database, "INSERT INTO one VALUES (1)")
}
