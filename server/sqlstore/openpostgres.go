package sqlstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jot-auth/jot/server/internal/loopback"
	"github.com/pressly/goose/v3"
)

const (
	defaultSchema    = "jot"
	connectTimeout   = 5 * time.Second
	statementTimeout = 10 * time.Second // far beyond what any statement takes
	idleTimeout      = 10 * time.Second // for a transaction whose process is frozen or gone: it holds locks
	connectionLife   = 30 * time.Minute
)

// IsPostgres reports whether a text is meant as a connection string of OpenPostgres.
func IsPostgres(connection string) bool {
	return strings.HasPrefix(connection, "postgres://") || strings.HasPrefix(connection, "postgresql://")
}

// OpenPostgres opens a PostgreSQL database, version 15 or newer, and makes or upgrades the schema where needed. Any
// number of servers may do that at once, and share the database. The connection string is
// postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full; what it leaves out comes from the environment
// variables of PostgreSQL (PGPASSWORD, PGSSLROOTCERT, …), and no error quotes it.
//
// The tables are in a schema of their own, jot or what search_path in the connection string names: their names are
// common words, and the database may be shared with a program that has a table "sessions" as well.
//
// A pooler in transaction mode, such as PgBouncer, may stand in between. It's noticed when it refuses our settings or
// takes no notice of them; pool_mode=transaction in the connection string names one that doesn't give itself away.
// Behind it, what other servers wrote is known some 50 ms later.
//
// OpenPostgres refuses to send a password unencrypted to another machine, unless the connection string says
// sslmode=disable. It refuses a database that a newer version of this program has upgraded, unless Options.OverNewer
// allows it.
func OpenPostgres(ctx context.Context, connection string, o Options) (*Store, error) {
	o = o.complete(8, 16)
	config, err := parsePostgres(connection, o)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	where := fmt.Sprintf("database %s on %s", config.Database, config.Host)
	if err := config.notice(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", where, explain(ctx, err))
	}
	schema, err := migratePostgres(ctx, config, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, explain(ctx, err))
	}
	reader := newPostgresPool(config, o.Readers, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	return &Store{
		dialect: postgresDialect{}, schema: schema, queue: newQueue(o.Writers, o.Queue), now: o.Now, watch: newWatcher(config),
		writer: newPostgresPool(config, o.Writers, "BEGIN ISOLATION LEVEL READ COMMITTED"),
		reader: reader, brief: reader.inBrief(),
	}, nil
}

// schemaName is what needs no quotes, anywhere.
var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

func parsePostgres(connection string, o Options) (none postgresConfig, _ error) {
	config, err := pgx.ParseConfig(connection)
	if err != nil || !IsPostgres(connection) { // the error may quote a part of the password
		return none, errors.New("the connection string isn't one of PostgreSQL: write it as postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full, with % codes for what a URL can't hold")
	}
	if err := checkEncryption(&config.Config); err != nil {
		return none, err
	}
	mode := config.RuntimeParams[poolerParameter]
	delete(config.RuntimeParams, poolerParameter)
	if mode != "" && mode != "transaction" {
		return none, errors.New("pool_mode in the connection string must be transaction, or left out")
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, connectTimeout)
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler { return postgresConfig{}.impatience(c) }
	for name, value := range map[string]string{
		"application_name":                    "jot",
		"search_path":                         defaultSchema,
		"timezone":                            "UTC",
		"default_transaction_isolation":       "read committed",
		"statement_timeout":                   milliseconds(statementTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleTimeout),
		"lock_timeout":                        milliseconds(o.BusyTimeout),
		serverParameter:                       rand.Text(),
	} {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
	found := postgresConfig{config, mode != ""}
	if !schemaName.MatchString(found.schema()) {
		return none, errors.New("search_path must name one schema, in lower-case letters, digits and underscores")
	}
	return found, nil
}

func (c postgresConfig) schema() string { return c.RuntimeParams["search_path"] }

// versions is the table of the migrations, by its whole name: not all of goose's statements are in transactions.
func (c postgresConfig) versions() string { return c.schema() + "." + goose.DefaultTablename }

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// checkEncryption refuses a connection to another machine that is encrypted only if that machine, or whoever sits in
// between, likes: the default of PostgreSQL's clients.
func checkEncryption(config *pgconn.Config) error {
	type way struct{ encrypted, plain bool }
	ways := make(map[string]way)
	add := func(host string, encrypted bool) {
		w := ways[host]
		ways[host] = way{w.encrypted || encrypted, w.plain || !encrypted}
	}
	add(config.Host, config.TLSConfig != nil)
	for _, other := range config.Fallbacks {
		add(other.Host, other.TLSConfig != nil)
	}
	for host, w := range ways {
		if w.encrypted && w.plain && !local(host) {
			return fmt.Errorf("the connection to %s might be unencrypted: add sslmode=verify-full to the connection string, with sslrootcert=FILE for a certificate authority of your own, or sslmode=require, which encrypts and checks no certificate; sslmode=disable is for networks that nobody else can read", host)
		}
	}
	return nil
}

// local reports whether a host is this machine: a loopback address or the directory of a socket.
func local(host string) bool {
	return strings.HasPrefix(host, "/") || loopback.Names(host)
}

// connections keeps so many, and replaces each once in a while, so that a server that was moved is found; not all pools
// at once.
func connections(config postgresConfig, most int) *sql.DB {
	db := sql.OpenDB(config.connector())
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxLifetime(connectionLife + mathrand.N(connectionLife/2))
	return db
}

// leaveStandby gives up a connection that was used to a server that takes no changes, such as the primary of before:
// the next one may lead to that of now. PostgreSQL tells by itself when either parameter changes.
func leaveStandby(_ context.Context, c *pgx.Conn) error {
	for _, parameter := range []string{"in_hot_standby", "default_transaction_read_only"} {
		if c.PgConn().ParameterStatus(parameter) == "on" {
			return driver.ErrBadConn
		}
	}
	return nil
}
