package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/jot-auth/jot/server/internal/pgtest"
)

// part is a thing that the database knows of a schema: a column, an index, a constraint.
type part struct{ kind, table, name string }

// shape is what the database knows of a part. Added to a table that was there before, a part may break the statements
// of before, or keep writers waiting.
type shape struct {
	definition     string
	breaks, blocks bool
}

// The parts of a schema as the two databases tell of them: kind, table, name, definition, whether it breaks and whether
// it blocks.
const (
	postgresParts = `
		SELECT 'table', relname, '', relfilenode::text, false, false FROM pg_class WHERE relnamespace = 'jot'::regnamespace AND relkind = 'r' UNION ALL
		SELECT 'column', relname, attname, concat_ws(' ', format_type(atttypid, atttypmod), nullif(attcollation, 0)::regcollation, CASE WHEN attnotnull THEN 'NOT NULL' END, pg_get_expr(adbin, adrelid)),
				attnotnull AND NOT atthasdef AND attidentity = '', false
			FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
			WHERE relnamespace = 'jot'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped UNION ALL
		SELECT 'index', t.relname, i.relname, pg_get_indexdef(indexrelid), indisunique, true
			FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid WHERE t.relnamespace = 'jot'::regnamespace UNION ALL
		SELECT 'constraint', relname, conname, pg_get_constraintdef(c.oid), true, false
			FROM pg_constraint c JOIN pg_class ON pg_class.oid = conrelid WHERE connamespace = 'jot'::regnamespace AND contype <> 'n' UNION ALL
		SELECT DISTINCT 'reference', f.relname, t.relname, '', true, false
			FROM pg_constraint JOIN pg_class f ON f.oid = confrelid JOIN pg_class t ON t.oid = conrelid WHERE connamespace = 'jot'::regnamespace UNION ALL
		SELECT 'trigger', relname, tgname, pg_get_triggerdef(t.oid), true, false
			FROM pg_trigger t JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace = 'jot'::regnamespace AND NOT tgisinternal UNION ALL
		SELECT 'function', '', proname, prosrc, false, false FROM pg_proc WHERE pronamespace = 'jot'::regnamespace`
	sqliteParts = `
		SELECT 'table', name, '', '', false, false FROM sqlite_schema WHERE type = 'table' UNION ALL
		SELECT 'column', t.name, c.name, c.type || ' ' || c."notnull" || ' ' || coalesce(c.dflt_value, ''), c."notnull" AND c.dflt_value IS NULL, false
			FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' UNION ALL
		SELECT 'index', t.name, i.name, coalesce(x.sql, ''), i."unique", false
			FROM sqlite_schema t JOIN pragma_index_list(t.name) i JOIN sqlite_schema x ON x.name = i.name WHERE t.type = 'table' UNION ALL
		SELECT DISTINCT 'reference', f."table", t.name, '', true, false FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table' UNION ALL
		SELECT 'trigger', tbl_name, name, sql, true, false FROM sqlite_schema WHERE type = 'trigger'`
)

// querier is a database, or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readParts(t *testing.T, q querier, query string) map[part]shape {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	parts := make(map[part]shape)
	for rows.Next() {
		var p part
		var s shape
		if err := rows.Scan(&p.kind, &p.table, &p.name, &s.definition, &s.breaks, &s.blocks); err != nil {
			t.Fatal(err)
		}
		parts[p] = s
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return parts
}

// breaches are what a migration does to servers of the version before, in words.
func breaches(before, after map[part]shape, newAge, concurrent bool) (found []string) {
	say := func(p part, what string) {
		found = append(found, strings.Join(strings.Fields(fmt.Sprint(p.kind, " ", p.table, " ", p.name, " ", what)), " "))
	}
	for p, was := range before {
		is, there := after[p]
		switch {
		case !there && !newAge && p.kind != "table": // its columns say it
			say(p, "is gone")
		case there && is.definition != was.definition && p.kind == "table":
			say(p, "is written anew, while nobody can read it")
		case there && is.definition != was.definition && !newAge:
			say(p, "is another")
		}
	}
	for p, is := range after {
		_, old := before[part{"table", p.table, ""}]
		if _, there := before[p]; there || !old {
			continue
		}
		if is.breaks && !newAge {
			say(p, "refuses what was right before")
		}
		if is.blocks && !concurrent {
			say(p, "is made while nobody can write")
		}
	}
	slices.Sort(found)
	return found
}

// beforeTheFirstRelease are the breaches of migrations that nobody has run beside a server of the version before: there
// was no version. Each index was made in a transaction; the unique one is of columns that came with it; 00006 changes
// what servers tell each other, and those of both kinds look at everything whatever they hear.
var beforeTheFirstRelease = map[string]map[string][]string{
	"sqlite": {
		"00011_recovery_of_accounts.sql": {"index accounts accounts_by_email refuses what was right before"},
	},
	"postgres": {
		"00002_clients.sql": {
			"index sessions sessions_by_end is made while nobody can write", "index sessions sessions_by_expiry is made while nobody can write",
			"index subjects subjects_deleted is made while nobody can write", "index subjects subjects_pending is made while nobody can write",
		},
		"00004_admin.sql": {
			"index events events_of_kind is made while nobody can write", "index events events_of_subject is made while nobody can write",
			"index sessions sessions_by_creation is made while nobody can write", "index sessions sessions_of_client is made while nobody can write",
			"index subjects subjects_by_creation is made while nobody can write",
		},
		"00006_tell_others.sql": {"function tell_servers is another"},
		"00009_authorization.sql": {
			"index sessions sessions_of_sign_in is made while nobody can write", "index sessions sessions_signed_in is made while nobody can write",
		},
		"00011_recovery_of_accounts.sql": {
			"index accounts accounts_by_email is made while nobody can write", "index accounts accounts_by_email refuses what was right before",
		},
		"00016_codes_of_sign_ins.sql": {"index codes codes_of_sign_in is made while nobody can write", "index codes codes_unused is made while nobody can write"},
		"00017_administrators.sql":    {"index subjects subjects_by_own_scope is made while nobody can write"},
	},
}

// TestMigrationsLetServersRun holds each migration to migrations/README.md, by what the databases know of the schema
// before and after it.
func TestMigrationsLetServersRun(t *testing.T) {
	for name, d := range dialectsUnderTest() {
		t.Run(name, func(t *testing.T) {
			for file, found := range d.breaches(t, migrations) {
				allowed := beforeTheFirstRelease[name][file]
				if !slices.Equal(found, allowed) {
					t.Errorf("%s breaks the rules of migrations/README.md:\n\t%s\nwant:\n\t%s", file, strings.Join(found, "\n\t"), strings.Join(allowed, "\n\t"))
				}
			}
		})
	}
}

// dialectUnderTest is an empty database.
type dialectUnderTest struct {
	dialect dialect
	parts   string
	open    func(t *testing.T) *sql.DB
}

func dialectsUnderTest() map[string]dialectUnderTest {
	return map[string]dialectUnderTest{
		"sqlite": {sqliteDialect{}, sqliteParts, func(t *testing.T) *sql.DB {
			db, err := connect(dataSource(filepath.Join(t.TempDir(), "jot.db"), Options{}.complete(1, 1)), 2)
			if err != nil {
				t.Fatal(err)
			}
			return db
		}},
		"postgres": {postgresDialect{}, postgresParts, func(t *testing.T) *sql.DB {
			config, err := parsePostgres(pgtest.Database(t), Options{}.complete(1, 1))
			if err != nil {
				t.Fatal(err)
			}
			db := connections(config, 2)
			if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA jot"); err != nil {
				t.Fatal(err)
			}
			return db
		}},
	}
}

// breaches are those of each migration, by its file's name.
func (d dialectUnderTest) breaches(t *testing.T, files fs.FS) map[string][]string {
	db := d.open(t)
	defer db.Close()
	provider, err := migrator{db: db, dialect: d.dialect, versions: goose.DefaultTablename, files: files}.provider()
	if err != nil {
		t.Fatal(err)
	}
	_, folder := d.dialect.migrations()
	found := make(map[string][]string)
	before := make(map[part]shape)
	for _, source := range provider.ListSources() {
		file := path.Base(source.Path)
		text, err := fs.ReadFile(files, path.Join("migrations", folder, file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.UpTo(t.Context(), source.Version); err != nil {
			t.Fatal(err)
		}
		after := readParts(t, db, d.parts)
		found[file] = breaches(before, after, source.Version%schemaAge == 0, strings.Contains(string(text), withoutTransaction))
		before = after
	}
	return found
}

// TestRulesOfMigrations: what would harm servers that run is found, and what wouldn't isn't.
func TestRulesOfMigrations(t *testing.T) {
	rules := []struct {
		statements string
		want       []string
		onPostgres []string // beside those
	}{
		{`ALTER TABLE sessions ADD COLUMN device TEXT; ALTER TABLE sessions ADD COLUMN shared INTEGER NOT NULL DEFAULT 0`, nil, nil},
		{`CREATE TABLE devices (id TEXT PRIMARY KEY CHECK (id <> ''), sub TEXT NOT NULL UNIQUE); CREATE INDEX of_sub ON devices (sub)`, nil, nil},
		{`CREATE TABLE devices (sub TEXT REFERENCES subjects (id))`, []string{"reference subjects devices refuses what was right before"}, nil},
		{`ALTER TABLE sessions DROP COLUMN address`, []string{"column sessions address is gone"}, nil},
		{`ALTER TABLE consents RENAME COLUMN given TO since`, []string{"column consents given is gone", "column consents since refuses what was right before"}, nil},
		{
			`CREATE UNIQUE INDEX one_name ON clients (name)`,
			[]string{"index clients one_name refuses what was right before"}, []string{"index clients one_name is made while nobody can write"},
		},
		{`CREATE INDEX by_use ON sessions (last_used)`, nil, []string{"index sessions by_use is made while nobody can write"}},
	}
	onlyPostgres := map[string]string{
		`ALTER TABLE sessions ADD COLUMN lot FLOAT DEFAULT random()`:                      "table sessions is written anew, while nobody can read it",
		`ALTER TABLE codes ADD CHECK (issued > 0)`:                                        "constraint codes codes_issued_check refuses what was right before",
		`CREATE TRIGGER told AFTER INSERT ON codes EXECUTE FUNCTION tell_servers()`:       "trigger codes told refuses what was right before",
		`ALTER TABLE codes ADD COLUMN word TEXT NOT NULL`:                                 "column codes word refuses what was right before",
		`ALTER TABLE consents ALTER COLUMN given SET DEFAULT 7`:                           "column consents given is another",
		`ALTER TABLE notices DROP CONSTRAINT notices_pkey, ALTER COLUMN id DROP NOT NULL`: "column notices id is another; constraint notices notices_pkey is gone; index notices notices_pkey is gone",
	}
	for name, d := range dialectsUnderTest() {
		t.Run(name, func(t *testing.T) {
			db := d.migrated(t)
			defer db.Close()
			for _, rule := range rules {
				want := rule.want
				if name == "postgres" {
					want = slices.Sorted(slices.Values(append(rule.onPostgres, want...)))
				}
				d.check(t, db, rule.statements, false, false, want)
			}
			d.check(t, db, `ALTER TABLE sessions DROP COLUMN address`, true, false, nil)
			d.check(t, db, `CREATE INDEX by_use ON sessions (last_used)`, false, true, nil)
			if name != "postgres" {
				return
			}
			for statement, want := range onlyPostgres {
				d.check(t, db, statement, false, false, strings.Split(want, "; "))
			}
			d.check(t, db, `ALTER TABLE codes ALTER COLUMN issued TYPE NUMERIC`, true, false, []string{"table codes is written anew, while nobody can read it"})
		})
	}
}

// migrated is a database of this program's.
func (d dialectUnderTest) migrated(t *testing.T) *sql.DB {
	db := d.open(t)
	provider, err := migrator{db: db, dialect: d.dialect, versions: goose.DefaultTablename, files: migrations}.provider()
	if err == nil {
		_, err = provider.Up(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// check runs statements, compares what they break with what is wanted, and takes them back.
func (d dialectUnderTest) check(t *testing.T, db *sql.DB, statements string, newAge, concurrent bool, want []string) {
	t.Helper()
	begun, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer begun.Rollback()
	before := readParts(t, begun, d.parts)
	if _, err := begun.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	if found := breaches(before, readParts(t, begun, d.parts), newAge, concurrent); !slices.Equal(found, want) {
		t.Errorf("%s: found %q, want %q", statements, found, want)
	}
}
