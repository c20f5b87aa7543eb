package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
)

// rollbackTimeout is for the end of a transaction that failed. A server that doesn't answer in time has lost the
// connection's transaction with it.
const rollbackTimeout = 5 * time.Second

// postgresPool lends connections to PostgreSQL, on which statements run without database/sql in between: it has no way
// to send several at once.
type postgresPool struct {
	*sql.DB
	config  postgresConfig
	opening string // what begins a transaction
	brief   bool   // it ends when it has fetched what is read ahead
}

// newPostgresPool makes a pool of so many connections, whose transactions begin in one way.
func newPostgresPool(config postgresConfig, most int, begin string) *postgresPool {
	p := &postgresPool{DB: connections(config, most), config: config, opening: begin}
	if config.pooler {
		p.opening = begin + config.localSettings()
	}
	return p
}

// inBrief lends the same connections to transactions that end early.
func (p *postgresPool) inBrief() *postgresPool {
	brief := *p
	brief.brief = true
	return &brief
}

func (p *postgresPool) stats() PoolStats {
	now := p.Stats()
	return PoolStats{Open: now.OpenConnections, InUse: now.InUse, Waits: now.WaitCount, Waited: now.WaitDuration}
}

func (p *postgresPool) begin(ctx context.Context) (session, error) {
	lent, err := p.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &postgresSession{lent: lent, caller: ctx, brief: p.brief}
	err = lent.Raw(func(connection any) error {
		switch own := connection.(type) {
		case *stdlib.Conn:
			s.connection = own.Conn()
		case *pooledConnection:
			s.connection = own.Conn.Conn()
		default:
			return fmt.Errorf("the connection is a %T", connection)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, lent.Close())
	}
	s.watcher = ctxwatch.NewContextWatcher(p.config.impatience(s.connection.PgConn()))
	s.watcher.Watch(ctx)
	s.waiting = []waiting{{query: p.opening}}
	if p.config.pooler { // the statements are described under the settings that the beginning makes
		if err := s.beginAlone(); err != nil {
			s.end()
			return nil, err
		}
	}
	return s, nil
}

// postgresSession is a transaction on PostgreSQL. What nobody waits for travels with the next statement, the beginning
// with the first: a round trip costs more than most statements do. The database runs what comes together one after the
// other, and after one that failed none, not even a COMMIT.
type postgresSession struct {
	lent       *sql.Conn
	connection *pgx.Conn // of lent, which nobody else has meanwhile
	caller     context.Context
	watcher    *ctxwatch.ContextWatcher
	waiting    []waiting
	kept       []*keptRows
	begun      bool // there is something to roll back
	brief      bool // it commits together with what is read ahead
	over       bool // which it has
}

// waiting is a statement that wasn't sent yet.
type waiting struct {
	query string
	args  []any
	ahead bool // its rows are to be kept
}

// beginAlone sends the beginning.
func (s *postgresSession) beginAlone() error {
	opening := s.waiting[0].query
	s.begun, s.waiting = true, nil
	_, err := s.connection.Exec(context.Background(), opening)
	return err
}

func (s *postgresSession) later(query string, args []any) error {
	s.waiting = append(s.waiting, waiting{query: query, args: args})
	return nil
}

func (s *postgresSession) ahead(query string, args []any) {
	s.waiting = append(s.waiting, waiting{query, args, true})
}

// send sends all statements that wait, and one more, whose result is the next one.
func (s *postgresSession) send(query string, args []any) (pgx.BatchResults, error) {
	var all pgx.Batch
	for _, w := range s.waiting {
		all.Queue(w.query, w.args...)
	}
	all.Queue(query, args...)
	before := len(s.waiting)
	s.begun, s.waiting = true, nil
	results := s.connection.SendBatch(context.Background(), &all) // the caller is watched, once for all statements
	for range before {
		if _, err := results.Exec(); err != nil {
			results.Close() // the same error
			return nil, &lateError{err}
		}
	}
	return results, nil
}

func (s *postgresSession) exec(query string, args []any) (int64, error) {
	tag, err := s.run(query, args)
	return tag.RowsAffected(), err
}

func (s *postgresSession) run(query string, args []any) (pgconn.CommandTag, error) {
	if err := s.goesOn(); err != nil {
		return pgconn.CommandTag{}, err
	}
	if len(s.waiting) == 0 {
		return s.connection.Exec(context.Background(), query, args...)
	}
	results, err := s.send(query, args)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil {
		err = closed
	}
	return tag, err
}

func (s *postgresSession) query(query string, args []any) (rows, error) {
	if err := s.caller.Err(); err != nil {
		return nil, err
	}
	if found := s.takeKept(query, args); found != nil {
		return found, nil
	}
	if s.over {
		return nil, errUnforeseen
	}
	if len(s.waiting) == 0 {
		found, err := s.connection.Query(context.Background(), query, args...)
		return &postgresRows{Rows: found}, err
	}
	results, err := s.send(query, args)
	if err != nil {
		return nil, err
	}
	found, err := results.Query()
	if err != nil {
		results.Close() // the same error
		return nil, err
	}
	return &postgresRows{found, results}, nil
}

// goesOn returns why no other statement can be sent, if so.
func (s *postgresSession) goesOn() error {
	if s.over {
		return errUnforeseen
	}
	return s.caller.Err()
}

// commit takes along what still waits. A transaction that sent nothing has nothing to commit.
func (s *postgresSession) commit() error {
	if s.over || !s.begun && len(s.waiting) == 1 { // the beginning
		return nil
	}
	tag, err := s.run(commitStatement, nil)
	if err != nil {
		return err
	}
	return s.committed(tag)
}

const commitStatement = "COMMIT"

func (s *postgresSession) committed(tag pgconn.CommandTag) error {
	s.begun = false
	if tag.String() != commitStatement { // a statement had failed, and somebody went on
		return errors.New("the transaction was rolled back: a statement before had failed")
	}
	return nil
}

func (s *postgresSession) end() {
	s.watcher.Unwatch()
	if s.begun {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
		if _, err := s.connection.Exec(ctx, "ROLLBACK"); err != nil {
			s.connection.Close(ctx)
		}
		cancel()
	}
	s.lent.Close()
}

// postgresRows are the rows of the last statement that was sent.
type postgresRows struct {
	pgx.Rows
	batch pgx.BatchResults // nil of a statement that was sent alone
}

func (r *postgresRows) Close() error {
	r.Rows.Close()
	if r.batch == nil {
		return r.Err()
	}
	return r.batch.Close()
}

func (r *postgresRows) Columns() ([]string, error) {
	return columnNames(r.FieldDescriptions()), nil
}

func columnNames(fields []pgconn.FieldDescription) (names []string) {
	for _, field := range fields {
		names = append(names, field.Name)
	}
	return names
}
