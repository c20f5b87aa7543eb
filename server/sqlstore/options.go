package sqlstore

import (
	"cmp"
	"io/fs"
	"log/slog"
	"time"
)

// Options say how a database is opened. The zero value is a good default.
type Options struct {
	Readers     int              // connections that read; 0: for SQLite as many as processors, at least 4; for PostgreSQL 8
	Writers     int              // connections to PostgreSQL that write; 0: 16. SQLite has one
	Queue       int              // callers that write or wait for it; more get issuer.ErrBusy; 0: 1024
	BusyTimeout time.Duration    // how long to wait for others that write; 0: 2 s
	Now         func() time.Time // the clock, for tests; nil: the database's
	Logger      *slog.Logger     // is told of an upgrade of the schema, before and after; nil: nobody is

	// OverNewer opens a schema to which a newer program has added: for servers that start again while others are
	// upgraded beside them. What counts on knowing every table, as a copy does, must not set it.
	OverNewer bool

	migrations fs.FS // for tests; nil: those of this program
}

func (o Options) complete(readers, writers int) Options {
	o.Readers = cmp.Or(o.Readers, readers)
	o.Writers = cmp.Or(o.Writers, writers)
	o.Queue = cmp.Or(o.Queue, 1024)
	o.BusyTimeout = cmp.Or(o.BusyTimeout, 2*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.migrations == nil {
		o.migrations = migrations
	}
	return o
}
