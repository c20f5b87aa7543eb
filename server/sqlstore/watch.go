package sqlstore

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// serverParameter is of every connection: which server it is of. The trigger tell_servers says it to all who listen.
const serverParameter = "jot.server"

// watchInterval is how often somebody who watches looks without having been told, in case a message was lost.
const watchInterval = time.Second

// pooledInterval is how often somebody looks who can't be told, since a pooler stands in between: often enough for
// rules to be everywhere within 100 ms.
const pooledInterval = 50 * time.Millisecond

// watcher is how a Store learns what other servers write; the zero value, of SQLite, never does: one server has the
// file to itself.
type watcher struct {
	config   *pgx.ConnConfig // nil: nobody can be listened to
	interval time.Duration
}

func newWatcher(config postgresConfig) watcher {
	if config.pooler {
		return watcher{interval: pooledInterval}
	}
	return watcher{config.ConnConfig, watchInterval}
}

// Watch implements issuer.Watcher: PostgreSQL tells at the commit (LISTEN and NOTIFY), on a connection of its own.
func (s *Store) Watch(ctx context.Context, changed func()) {
	for ctx.Err() == nil && s.watch.interval != 0 {
		if s.watch.config != nil {
			_ = s.watch.listen(ctx, changed) // the connection is lost, or there was none: whoever looks now finds out why
		}
		if ctx.Err() != nil {
			return
		}
		changed()
		select {
		case <-time.After(s.watch.interval/2 + rand.N(s.watch.interval/2)):
		case <-ctx.Done():
		}
	}
}

// listen calls changed for each message, and each second, until the connection is lost.
func (w watcher) listen(ctx context.Context, changed func()) error {
	config := w.config.Copy()
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler { // nothing to cancel: only the waiting ends, each second
		return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn()}
	}
	config.RuntimeParams["application_name"] += " (listening)"
	starting, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	connection, err := pgx.ConnectConfig(starting, config)
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		_ = connection.Close(ending)
	}()
	if _, err := connection.Exec(starting, "LISTEN "+config.RuntimeParams["search_path"]); err != nil {
		return err
	}
	for !connection.IsClosed() {
		changed() // first of all what happened before LISTEN
		if err := w.wait(ctx, connection); err != nil {
			return err
		}
	}
	return nil
}

// wait returns when another server has changed something, or after a second. What this one changed, it knows.
func (w watcher) wait(ctx context.Context, connection *pgx.Conn) error {
	waiting, cancel := context.WithTimeout(ctx, w.interval)
	defer cancel()
	for {
		message, err := connection.WaitForNotification(waiting)
		switch {
		case err != nil && waiting.Err() == nil:
			return err
		case err != nil:
			return ctx.Err()
		case message.Payload != w.config.RuntimeParams[serverParameter]:
			return nil
		}
	}
}
