package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
)

// A pooler in transaction mode, such as PgBouncer, gives each transaction another of its connections to PostgreSQL. So
// nothing of a session lasts: no settings, no prepared statements, no LISTEN, no lock but a transaction's. Behind one,
// each transaction makes its own settings, in the round trip of its BEGIN, statements are parsed each time, and what
// other servers wrote is looked for instead of being told.

// poolerParameter of a connection string says that there is a pooler, where that isn't noticed. It's PgBouncer's own
// word.
const poolerParameter = "pool_mode"

// postgresConfig is how to reach PostgreSQL.
type postgresConfig struct {
	*pgx.ConnConfig
	pooler bool // sessions aren't ours
}

func (c postgresConfig) Copy() postgresConfig { return postgresConfig{c.ConnConfig.Copy(), c.pooler} }

// sessionParameters are those that poolers keep for each of their clients.
var sessionParameters = []string{"application_name", "timezone"}

// poolerWait is how long a pooler may take to give a second connection, however busy it is.
const poolerWait = 30 * time.Second

// anotherConnection fails where a pooler gives no connection beside those that are in use, rather than let the start
// hang.
func anotherConnection(ctx context.Context, db *sql.DB, wait time.Duration) error {
	soon, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	_, err := db.ExecContext(soon, `SELECT 1`)
	if err != nil && soon.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("the pooler gave no second connection within %v, and an upgrade of the schema takes two at once: let its pool have more (default_pool_size)", wait)
	}
	return err
}

// notice finds out whether there is a pooler in between, and refuses what doesn't get through one.
func (c *postgresConfig) notice(ctx context.Context) error {
	if !c.pooler {
		if err := c.look(ctx); err != nil {
			return err
		}
	}
	if c.pooler && c.RuntimeParams["options"] != "" {
		return errors.New("options in the connection string, or PGOPTIONS, don't get through a pooler: name each setting by itself, as ?work_mem=64MB")
	}
	return nil
}

// look notices a pooler that refuses our settings, or takes no notice of them.
func (c *postgresConfig) look(ctx context.Context) error {
	connection, err := pgx.ConnectConfig(ctx, c.ConnConfig)
	if refusesParameters(err) {
		c.pooler = true
		return nil
	}
	if err != nil {
		return err
	}
	defer connection.Close(ctx) // it has said what it was asked
	var kept string
	err = connection.QueryRow(ctx, `SELECT coalesce(current_setting('`+serverParameter+`', true), '')`, pgx.QueryExecModeSimpleProtocol).Scan(&kept)
	c.pooler = kept != c.RuntimeParams[serverParameter]
	return err
}

// refusesParameters recognizes PgBouncer, whose code for it means any breach of the protocol.
func refusesParameters(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && strings.HasPrefix(failure.Message, "unsupported startup parameter")
}

// connector makes connections for a pool of ours.
func (c postgresConfig) connector() driver.Connector {
	if !c.pooler {
		return stdlib.GetConnector(*c.ConnConfig, stdlib.OptionResetSession(leaveStandby))
	}
	config := c.ConnConfig.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // of a statement, what its types are lasts
	config.BuildContextWatcherHandler = func(connection *pgconn.PgConn) ctxwatch.Handler { return c.impatience(connection) }
	maps.DeleteFunc(config.RuntimeParams, func(name, _ string) bool { return !slices.Contains(sessionParameters, name) })
	return pooledConnector{stdlib.GetConnector(*config, stdlib.OptionResetSession(leaveStandby)), c.localSettings()}
}

// impatience is what becomes of a statement whose caller is gone. It ends on the server too: one that waits for a lock
// would go on to hold its own. A pooler isn't asked to end one, for PgBouncer before 1.21 ends itself in return (its
// issues 822 and 904): there the timeouts of the settings end it, or else the connection.
func (c postgresConfig) impatience(connection *pgconn.PgConn) ctxwatch.Handler {
	if c.pooler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: connection.Conn(), DeadlineDelay: 2 * statementTimeout}
	}
	return &pgconn.CancelRequestContextWatcherHandler{Conn: connection, DeadlineDelay: time.Second}
}

// localSettings are the statements that follow a BEGIN.
func (c postgresConfig) localSettings() string {
	var settings strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.RuntimeParams)) {
		if !slices.Contains(sessionParameters, name) {
			fmt.Fprintf(&settings, "; SET LOCAL %s = '%s'", name, strings.ReplaceAll(c.RuntimeParams[name], "'", "''"))
		}
	}
	return settings.String()
}

// pooledConnector makes connections whose transactions begin with settings.
type pooledConnector struct {
	driver.Connector
	settings string
}

func (c pooledConnector) Connect(ctx context.Context) (driver.Conn, error) {
	connection, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &pooledConnection{connection.(*stdlib.Conn), c.settings}, nil
}

type pooledConnection struct {
	*stdlib.Conn
	settings string
}

// BeginTx begins a transaction of READ COMMITTED unless it's told otherwise: what the session's default is, nobody
// knows.
func (c *pooledConnection) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	begin := "BEGIN ISOLATION LEVEL READ COMMITTED"
	switch sql.IsolationLevel(o.Isolation) {
	case sql.LevelDefault, sql.LevelReadCommitted:
	case sql.LevelRepeatableRead:
		begin = "BEGIN ISOLATION LEVEL REPEATABLE READ"
	default:
		return nil, fmt.Errorf("the isolation level %v isn't one of a dialect", sql.IsolationLevel(o.Isolation))
	}
	if o.ReadOnly {
		begin += " READ ONLY"
	}
	begun, err := c.Conn.Conn().BeginTx(ctx, pgx.TxOptions{BeginQuery: begin + c.settings})
	if err != nil {
		return nil, err
	}
	return pooledTransaction{ctx, begun}, nil
}

// pooledTransaction ends with the context with which it began, as database/sql has it.
type pooledTransaction struct {
	ctx   context.Context
	begun pgx.Tx
}

func (t pooledTransaction) Commit() error   { return t.begun.Commit(t.ctx) }
func (t pooledTransaction) Rollback() error { return t.begun.Rollback(t.ctx) }
