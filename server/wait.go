package server

import (
	"context"
	"fmt"
	"log/slog"
	"math/bits"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// Between two attempts to reach a database, the longer the more there were.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

// maxDatabaseWait bounds Config.DatabaseWait: whoever looks after the server should hear of a database that is gone.
const maxDatabaseWait = time.Hour

// whenReachable makes a server, again and again while its database can't be reached, for as long as the Config says.
func whenReachable(ctx context.Context, c Config) (*Server, error) {
	begun := time.Now()
	for attempt := 1; ; attempt++ {
		s, err := newServer(ctx, c)
		if err == nil || c.Database == "" || c.DatabaseWait == 0 || !sqlstore.Unreachable(err) {
			return s, err
		}
		if waited := time.Since(begun); waited >= c.DatabaseWait {
			return nil, fmt.Errorf("%w; it was waited for during %v: see whether it runs, and whether its URL is right", err, c.DatabaseWait)
		}
		if bits.OnesCount(uint(attempt)) == 1 { // less and less often
			c.logger().Warn("the database can't be reached: the server waits for it", slog.String("error", reason(err)), slog.Int("attempts", attempt),
				slog.String("until", begun.Add(c.DatabaseWait).UTC().Format(time.RFC3339)))
		}
		select {
		case <-time.After(pause(attempt)):
		case <-ctx.Done():
			return nil, fmt.Errorf("server: %w while the database couldn't be reached: %w", ctx.Err(), err)
		}
	}
}

// reason is an error without what it means for tokens, of which there are none yet.
func reason(err error) string {
	return strings.ReplaceAll(err.Error(), issuer.ErrUnavailable.Error()+": ", "")
}

// pause has some chance in it, so that servers that lost a database together don't come back together.
func pause(attempt int) time.Duration {
	longest := min(firstPause<<min(attempt, 16), longestPause)
	return longest/2 + rand.N(longest/2)
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.Default()
	}
	return c.Logger
}
