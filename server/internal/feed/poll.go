package feed

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
)

// pollTimeout bounds how long a poll waits for the hub's next frame, which comes every second.
const pollTimeout = 2 * heartbeat

// poll answers with the connection's own first frame and, unless that has rules, the one after it, whole, for readers
// behind a proxy that holds streams back. The second frame lets the reader keep the lease that a stream would have
// given it: the first one alone is as old as the wait.
func (s *Server) poll(w http.ResponseWriter, r *http.Request, first firstFrame, from joined) {
	body := first.data
	if len(from.rules) == 0 {
		timeout := time.NewTimer(pollTimeout)
		defer timeout.Stop()
		select {
		case <-from.frame.ready:
			if !isClosed(from.ended) { // before that frame was made: it isn't for this poll
				body = slices.Concat(body, from.frame.next.data)
			}
		case <-from.ended:
		case <-timeout.C:
		case <-r.Context().Done():
			return
		}
	}
	web.GiveTime(w, frameTimeout)
	web.NoStore(w)
	w.Header().Set("Content-Type", revocation.FrameType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // to a client that may be gone
}
