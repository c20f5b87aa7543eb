package feed

import (
	"context"
	"sync"
)

const (
	longFirst     = 128 // rules, from which on a first frame is long
	maxLongFirsts = 64  // that there are at once: each may take a megabyte, until its client has read it
)

// firstFrame is what one connection alone is sent.
type firstFrame struct {
	data []byte
	sent func() // to be called when it is, or can't be; more than once does no harm
}

// makeFirst makes the first frame of a connection. Of long ones there are only so many at once, and who asks for one
// more waits: clients that ask for much and read nothing would fill the memory.
func (s *Server) makeFirst(ctx context.Context, from joined) (firstFrame, error) {
	first := firstFrame{sent: func() {}}
	if len(from.rules) >= longFirst {
		select {
		case s.firsts <- struct{}{}:
			first.sent = sync.OnceFunc(func() { <-s.firsts })
		case <-from.ended:
			return first, errClosed
		case <-ctx.Done():
			return first, ctx.Err()
		}
	}
	var err error
	first.data, err = s.hub.encode(ctx, from.rules, from.head)
	return first, err
}
