package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// errLate tells the end of a request that waited too long from that of one whose client is gone: it's the operator's to
// mend.
var errLate = fmt.Errorf("%w: nothing was answered in time", issuer.ErrUnavailable)

// endLate ends the context of each request to which nothing was answered for so long: whoever it waits for, such as a
// database that is frozen, or can't be reached and doesn't say so, may never answer. A handler that takes longer moves
// its deadline for writing, without which it couldn't answer late, and with that this one.
func endLate(bound time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		end := time.AfterFunc(bound, func() { cancel(errLate) })
		defer end.Stop()
		next.ServeHTTP(&timedResponse{ResponseWriter: w, end: end}, r.WithContext(ctx))
	})
}

// timedResponse is an answer to a request that ends.
type timedResponse struct {
	http.ResponseWriter
	end     *time.Timer
	endless bool
}

// SetWriteDeadline moves the end of the request as well. The zero time is none, and none stays: what a stream says
// later is about a single frame, and the next one may come long after it.
func (w *timedResponse) SetWriteDeadline(deadline time.Time) error {
	if w.endless = w.endless || deadline.IsZero(); w.endless {
		w.end.Stop()
	} else {
		w.end.Reset(time.Until(deadline))
	}
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(deadline)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *timedResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }
