package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
	"time"
)

// sqlitePool keeps its connections, each with the statements that it has run so far: the driver would parse them anew
// each time. What has begun on one runs to its end, whatever becomes of the caller: it's short, and to listen for the
// caller the driver would start a goroutine for each statement, which costs more than most of them.
type sqlitePool struct {
	*sql.DB
	opening string        // the statement that begins a transaction
	places  chan struct{} // holds an element for each connection that is lent

	mutex  sync.Mutex
	closed bool
	idle   []*sqliteConnection // the one that was used last is the last: its pages are in memory
	waits  int64
	waited time.Duration
}

// sqliteConnection is one connection with its prepared statements.
type sqliteConnection struct {
	*sql.Conn
	prepared map[string]*sql.Stmt
}

// Close gives the connection back to the pool below, without its statements: nothing else would close them, and SQLite
// doesn't close a file that has any.
func (c *sqliteConnection) Close() error {
	for _, statement := range c.prepared {
		statement.Close()
	}
	return c.Conn.Close()
}

func newSQLitePool(db *sql.DB, connections int, opening string) *sqlitePool {
	return &sqlitePool{DB: db, opening: opening, places: make(chan struct{}, connections)}
}

func (p *sqlitePool) begin(ctx context.Context) (session, error) {
	if err := p.takePlace(ctx); err != nil {
		return nil, err
	}
	connection, err := p.take(ctx)
	if err != nil {
		<-p.places
		return nil, err
	}
	s := &sqliteSession{pool: p, connection: connection}
	if _, err := s.exec(p.opening, nil); err != nil {
		p.put(connection)
		return nil, err
	}
	s.open = true
	return s, nil
}

// takePlace waits until a connection is free.
func (p *sqlitePool) takePlace(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.places <- struct{}{}:
		return nil
	default:
	}
	began := time.Now()
	defer func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.waits++
		p.waited += time.Since(began)
	}()
	select {
	case p.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take returns a connection that is idle, or opens another one.
func (p *sqlitePool) take(ctx context.Context) (*sqliteConnection, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if last := len(p.idle) - 1; last >= 0 {
		connection := p.idle[last]
		p.idle = p.idle[:last]
		return connection, nil
	}
	opened, err := p.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &sqliteConnection{Conn: opened, prepared: make(map[string]*sql.Stmt)}, nil
}

func (p *sqlitePool) put(connection *sqliteConnection) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		connection.Close()
	} else {
		p.idle = append(p.idle, connection)
	}
	<-p.places
}

// discard closes a connection of which nobody knows what state it's in.
func (p *sqlitePool) discard(connection *sqliteConnection) {
	for _, statement := range connection.prepared {
		statement.Close()
	}
	_ = connection.Raw(func(any) error { return driver.ErrBadConn }) // the way to have the pool below close it
	<-p.places
}

func (p *sqlitePool) stats() PoolStats {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	used := len(p.places)
	return PoolStats{Open: used + len(p.idle), InUse: used, Waits: p.waits, Waited: p.waited}
}

// Close implements pool. A connection that is lent is closed when it's given back.
func (p *sqlitePool) Close() error {
	p.mutex.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mutex.Unlock()
	for _, connection := range idle {
		connection.Close()
	}
	return p.DB.Close()
}

// sqliteSession is a transaction on SQLite.
type sqliteSession struct {
	pool       *sqlitePool
	connection *sqliteConnection
	open       bool
}

// statement returns a prepared statement of the connection.
func (s *sqliteSession) statement(query string) (*sql.Stmt, error) {
	if prepared, ok := s.connection.prepared[query]; ok {
		return prepared, nil
	}
	prepared, err := s.connection.PrepareContext(context.Background(), query)
	if err == nil {
		s.connection.prepared[query] = prepared
	}
	return prepared, err
}

func (s *sqliteSession) exec(query string, args []any) (int64, error) {
	statement, err := s.statement(query)
	if err != nil {
		return 0, err
	}
	result, err := statement.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *sqliteSession) later(query string, args []any) error {
	_, err := s.exec(query, args)
	return err
}

// ahead does nothing: there is no way to a SQLite that could be saved.
func (s *sqliteSession) ahead(string, []any) {}

func (s *sqliteSession) fetch() error { return nil }

func (s *sqliteSession) forget() {}

func (s *sqliteSession) query(query string, args []any) (rows, error) {
	statement, err := s.statement(query)
	if err != nil {
		return nil, err
	}
	found, err := statement.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (s *sqliteSession) commit() error {
	_, err := s.exec("COMMIT", nil)
	s.open = err != nil
	return err
}

func (s *sqliteSession) end() {
	if !s.open {
		s.pool.put(s.connection)
		return
	}
	if _, err := s.exec("ROLLBACK", nil); err != nil && !s.rolledBack() {
		s.pool.discard(s.connection)
		return
	}
	s.pool.put(s.connection)
}

// rolledBack reports whether SQLite has ended the transaction by itself, as it does after some errors of the disk.
func (s *sqliteSession) rolledBack() bool {
	_, err := s.exec("BEGIN", nil)
	if err == nil {
		_, err = s.exec("ROLLBACK", nil)
	}
	return err == nil
}
