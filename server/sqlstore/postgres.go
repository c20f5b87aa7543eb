package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

// postgresDialect is that of PostgreSQL.
//
// An Update is READ COMMITTED, and locks what it reads: so each statement sees the newest state, what was read stays as
// it is until the commit, and nobody fails for having come second. SERIALIZABLE would make the second one fail and run
// again.
type postgresDialect struct{}

// lockSpace keeps our advisory locks apart from those of others in the database.
const lockSpace = 0x6a6f74 // "jot"

func (postgresDialect) migrations() (goose.Dialect, string) { return goose.DialectPostgres, "postgres" }

const (
	selectNow   = `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint`
	selectBegun = `SELECT (extract(epoch FROM now()) * 1000)::bigint`
)

// now is the server's clock. In a View it's the time of the beginning: what was committed before is seen, as whoever
// promises somebody to know everything up to a time relies on.
func (postgresDialect) now(t *tx) (time.Time, error) {
	var ms int64
	if err := t.fault(t.row(clockOf(t)).Scan(&ms)); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(ms).UTC(), nil
}

func clockOf(t *tx) (query string) {
	if t.updates {
		return selectNow
	}
	return selectBegun
}

func (postgresDialect) nowAhead(t *tx) {
	if t.store.now == nil {
		t.session.ahead(clockOf(t), nil)
	}
}

// holding locks the subject of a session first, since that is the order of the query's tables: whoever ends all its
// sessions has locked it before them, and would wait for this transaction while this one waits for the subject.
func (postgresDialect) holding(query string) string {
	if query == selectSession || query == sessionsToHold {
		return query + ` FOR NO KEY UPDATE OF subjects, sessions`
	}
	return query + ` FOR NO KEY UPDATE` // weaker than FOR UPDATE: rows that refer to this one may come meanwhile
}

// movingHead saves a round trip while everybody else who revokes waits for the head.
func (postgresDialect) movingHead(insert string) (string, bool) {
	return `WITH moved AS (UPDATE log_head SET sequence = $1, hash = $8 WHERE one = 1) ` + insert, true
}

func (postgresDialect) lock(t *tx, l lock, shared bool) error {
	query := `SELECT pg_advisory_xact_lock($1, $2)`
	if shared {
		query = `SELECT pg_advisory_xact_lock_shared($1, $2)`
	}
	return t.later(query, lockSpace, int32(l))
}

// slotSpace is that of slots.
const slotSpace = lockSpace + 1

func (postgresDialect) lockSlot(t *tx, slot int64) error {
	return t.later(`SELECT pg_advisory_xact_lock($1, $2)`, slotSpace, int32(slot)) // a slot has 23 bits
}

func (postgresDialect) collided(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && (failure.Code == serializationFailure || failure.Code == deadlockDetected)
}

func (postgresDialect) takeTime(t *tx) error {
	_, err := t.exec(`SELECT set_config('idle_in_transaction_session_timeout', '0', true), set_config('statement_timeout', '0', true)`)
	return err
}

const selectIdentities = `SELECT table_name, column_name FROM information_schema.columns
	WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name <> 'goose_db_version'`

func (postgresDialect) continueIdentities(t *tx) error {
	type identity struct{ table, column string }
	all, err := list(t, func(r row) (i identity, err error) {
		err = r.Scan(&i.table, &i.column)
		return i, err
	}, selectIdentities)
	if err != nil {
		return err
	}
	for _, i := range all {
		_, err := t.exec(fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('%[1]s', '%[2]s'), max(%[2]s)) FROM %[1]s`, i.table, i.column))
		if err != nil {
			return err
		}
	}
	return nil
}

// oldestPostgres is the oldest version that this program is tested with.
const oldestPostgres = 15

// checkPostgres refuses a server that is too old.
func checkPostgres(ctx context.Context, db *sql.DB) error {
	var version int
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int / 10000`).Scan(&version)
	if err == nil && version < oldestPostgres {
		err = fmt.Errorf("PostgreSQL %d is too old: use %d or newer", version, oldestPostgres)
	}
	return err
}
