package sqlstore_test

import (
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/sqlstore"
)

// An upgrade is logged when it begins, since it may take long, and when it's done, and the schema says what ran. Where
// there is nothing to upgrade, nothing is.
func TestUpgradeIsLogged(t *testing.T) {
	const begins, done = "the database is being upgraded", "the database is upgraded"
	databases := map[string]string{"sqlite": filepath.Join(t.TempDir(), "jot.db"), "postgres": pgtest.Database(t)}
	for dialect, database := range databases {
		t.Run(dialect, func(t *testing.T) {
			var log logtest.Buffer
			var ran []string
			open := func(migrations map[string]string) error {
				o := sqlstore.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}.WithMigrations(t, dialect, migrations)
				connect := sqlstore.Open
				if dialect == "postgres" {
					connect = sqlstore.OpenPostgres
				}
				store, err := connect(t.Context(), database, o)
				if err != nil {
					return err
				}
				ran = store.Schema().Ran
				return store.Close()
			}
			later := map[string]string{"00998_later.sql": "-- +goose Up\nCREATE TABLE later (id TEXT NOT NULL PRIMARY KEY);\n"}
			check := func(migrations map[string]string, fails, began, ended bool) {
				t.Helper()
				err := open(migrations)
				said := log.Take()
				if (err != nil) != fails || strings.Contains(said, begins) != began || strings.Contains(said, done) != ended {
					t.Errorf("%v; logged %q", err, said)
				}
				if (began || ended) && !strings.Contains(said, "schema.to=998") {
					t.Errorf("which version it will have isn't said: %q", said)
				}
			}
			check(nil, false, false, false) // a new database
			if len(ran) < 10 || ran[0] != "00001_issuer.sql" {
				t.Errorf("of a new database ran %q", ran)
			}
			check(map[string]string{"00998_later.sql": "-- +goose Up\nCREATE NONSENSE;\n"}, true, true, false)
			check(later, false, true, true)
			if !slices.Equal(ran, []string{"00998_later.sql"}) {
				t.Errorf("of an older one ran %q", ran)
			}
			check(later, false, false, false)
			if len(ran) > 0 {
				t.Errorf("of one that is up to date ran %q", ran)
			}
		})
	}
}
