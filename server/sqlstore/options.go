package sqlstore

import (
	"cmp"
	"time"
)

// Options say how a database is opened. The zero value is a good default.
type Options struct {
	Readers     int              // connections that read; 0: for SQLite as many as processors, at least 4; for PostgreSQL 8
	Writers     int              // connections to PostgreSQL that write; 0: 16. SQLite has one
	Queue       int              // callers that write or wait for it; more get issuer.ErrBusy; 0: 1024
	BusyTimeout time.Duration    // how long to wait for others that write; 0: 2 s
	Now         func() time.Time // the clock, for tests; nil: the database's
}

func (o Options) complete(readers, writers int) Options {
	o.Readers = cmp.Or(o.Readers, readers)
	o.Writers = cmp.Or(o.Writers, writers)
	o.Queue = cmp.Or(o.Queue, 1024)
	o.BusyTimeout = cmp.Or(o.BusyTimeout, 2*time.Second)
	return o
}
