package sqlstore

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/pgtest"
)

// TestAdministratorsAreFoundByIndex: among many subjects, nobody reads them all to find another administrator, on
// neither database.
func TestAdministratorsAreFoundByIndex(t *testing.T) {
	file, err := Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	server, err := OpenPostgres(t.Context(), pgtest.Database(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	// Many of the subjects are numbered by a recursive query, which both databases know.
	const many = `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
		INSERT INTO subjects (id, generation, claims, scope, disabled, created, deleted, ending_before, ending_at, ending_why, ending_pending)
		SELECT 'sub' || n, 1, '{}', CASE WHEN n % 2500 = 0 THEN 'a jot:admin' ELSE 'pets:read pets:write' END, 0, n, 0, 0, 0, '', 0 FROM n`
	for name, c := range map[string]struct {
		db      *sql.DB
		explain string
		column  int // of the text
	}{
		"SQLite": {file.writer.(*sqlitePool).DB, "EXPLAIN QUERY PLAN ", 3}, "PostgreSQL": {server.writer.(*postgresPool).DB, "EXPLAIN ", 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, statement := range []string{many, "ANALYZE subjects"} {
				if _, err := c.db.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			plan := planOf(t, c.db, c.explain+otherWithScope, c.column, "sub2500", " jot:admin ")
			if !strings.Contains(plan, "subjects_by_own_scope") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN subjects\n") {
				t.Errorf("the plan is\n%s", plan)
			}
		})
	}
}

// planOf is the text of a plan, a line for each row.
func planOf(t *testing.T, db *sql.DB, query string, column int, args ...any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		values, fields := make([]any, len(columns)), make([]any, len(columns))
		for n := range values {
			fields[n] = &values[n]
		}
		if err := rows.Scan(fields...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, values[column])
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
