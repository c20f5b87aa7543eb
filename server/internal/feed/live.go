package feed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	frameTimeout = 5 * time.Second // for writing one frame, at least
	deadlineStep = time.Second     // and at most so much more
	maxLag       = 256             // frames that a connection may be behind
	maxLogID     = 128             // bytes
	maxNonce     = 64              // bytes
	maxVerifier  = 128             // bytes
	maxSequence  = 1<<63 - 1       // that databases hold
)

// live streams the frames after a position of the log, as server-sent events.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	wish, err := s.parseJoin(r)
	if err != nil {
		web.WriteProblem(w, web.NewProblem(http.StatusBadRequest, err.Error()))
		return
	}
	defer s.streams.Add(-1)
	if s.streams.Add(1) > s.maxStreams {
		web.Fail(w, r, issuer.ErrBusy)
		return
	}
	presence, err := s.registry.enter(r.Context(), wish.verifier, wish.maxStaleness) // before the log is read
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	defer s.registry.leave(presence)
	answer, err := s.hub.join(r.Context(), wish)
	var first firstFrame
	if err == nil {
		first, err = s.makeFirst(r.Context(), answer)
		defer first.sent()
	}
	switch {
	case errors.Is(err, errOtherLog):
		web.WriteProblem(w, web.NewProblem(http.StatusConflict, "this is not the log, or it ends earlier; take a snapshot"))
	case errors.Is(err, errTooOld):
		web.WriteProblem(w, web.NewProblem(http.StatusGone, "too far behind the stream; take segments or a snapshot"))
	case err != nil:
		web.Fail(w, r, err)
	case wish.poll:
		s.poll(w, r, first, answer)
	default:
		s.stream(w, r, first, answer)
	}
}

// parseJoin reads who asks, and for what, from the query. The ID of the last event that a client has seen
// takes the place of after, as the EventSource of browsers has it.
func (s *Server) parseJoin(r *http.Request) (join, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return join{}, errors.New("the query can't be read")
	}
	if last := r.Header.Values("Last-Event-ID"); len(last) > 0 {
		query["after"] = last
	}
	for _, name := range []string{"after", "log", "nonce"} {
		if len(query[name]) != 1 {
			return join{}, errors.New("after, log and nonce are needed, each once")
		}
	}
	after, err := revocation.ParseSequence(query.Get("after"))
	j := join{log: query.Get("log"), after: after, nonce: query.Get("nonce")}
	if err != nil || j.log == "" || len(j.log) > maxLogID || !validNonce(j.nonce) {
		return join{}, errors.New("after is a number, log the log's ID, nonce 16 to 64 letters, digits, - and _")
	}
	if poll, asked := query["poll"]; asked {
		if j.poll = len(poll) == 1 && poll[0] == "1"; !j.poll {
			return join{}, errors.New("poll is 1, or isn't there")
		}
	}
	err = s.parseVerifier(&j, query)
	return j, err
}

// parseVerifier reads who registers. A stream of nobody counts as a verifier that trusts a statement for as long as any may, and acknowledges
// nothing.
func (s *Server) parseVerifier(j *join, query url.Values) error {
	ids, staleness := query["verifier"], query["max_staleness"]
	if len(ids)+len(staleness) == 0 {
		j.verifier, j.maxStaleness = rand.Text(), s.registry.maxStaleness
		return nil
	}
	if len(ids) != 1 || len(staleness) != 1 || !validVerifier(ids[0]) {
		return errors.New("verifier and max_staleness belong together, each once; verifier is 16 to 128 letters, digits, dots, - and _, of this reader alone")
	}
	var err error
	j.verifier = ids[0]
	j.maxStaleness, err = s.parseStaleness(staleness[0])
	return err
}

// parseStaleness reads for how many milliseconds a verifier trusts a statement.
func (s *Server) parseStaleness(text string) (time.Duration, error) {
	const day = 24 * time.Hour // far above any bound, and from what a time.Duration can't hold
	ms, err := revocation.ParseSequence(text)
	if err != nil || ms == 0 || ms > uint64(day/time.Millisecond) {
		return 0, errors.New("max_staleness is a number of milliseconds, up to a day")
	}
	staleness := time.Duration(ms) * time.Millisecond
	if staleness > s.registry.maxStaleness {
		return 0, fmt.Errorf("a MaxStaleness of %v is more than the %v that this server allows: lower it, or raise feed_max_staleness", staleness, s.registry.maxStaleness)
	}
	return staleness, nil
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func validNonce(nonce string) bool {
	return len(nonce) >= 16 && len(nonce) <= maxNonce && strings.Trim(nonce, base64url) == ""
}

func validVerifier(id string) bool {
	return len(id) >= 16 && len(id) <= maxVerifier && strings.Trim(id, base64url+".") == ""
}

// stream answers with frames.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, first firstFrame, from joined) {
	control := http.NewResponseController(w)
	if err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})); err != nil {
		web.Fail(w, r, err) // the deadlines of the server would cut the stream
		return
	}
	header := w.Header()
	header.Set("Content-Type", revocation.FrameType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx: pass each frame on at once
	if r.ProtoMajor == 1 {
		header.Set("Connection", "close") // a stream that ends leaves no idle connection behind
	}
	s.send(r.Context(), &sender{w: w, control: control}, first, from)
}

// send ends when the client is gone or too slow, the hub ends the stream, or that has lived long enough.
func (s *Server) send(ctx context.Context, to *sender, first firstFrame, from joined) {
	life := time.NewTimer(streamLife)
	defer life.Stop()
	ok := to.send(first.data, false)
	first.sent()
	for at := from.frame; ok && s.hub.newest.Load()-at.number <= maxLag; {
		select {
		case <-at.ready:
			if isClosed(from.ended) { // before that frame was made: it isn't for this stream
				return
			}
		case <-from.ended:
			return
		case <-life.C:
			return
		case <-ctx.Done():
			return
		}
		at = at.next
		ok = to.send(at.data, isClosed(at.ready))
	}
}

// sender writes to one client.
type sender struct {
	w       http.ResponseWriter
	control *http.ResponseController
	until   time.Time // the deadline that is set
}

// send reports whether it could. Where more follows, it leaves that in the buffer. The deadline is moved now and then, which costs less than each time.
func (s *sender) send(data []byte, more bool) bool {
	var err error
	if now := time.Now(); s.until.Sub(now) < frameTimeout {
		s.until = now.Add(frameTimeout + deadlineStep)
		err = s.control.SetWriteDeadline(s.until)
	}
	if err == nil {
		_, err = s.w.Write(data)
	}
	if err == nil && !more {
		err = s.control.Flush()
	}
	return err == nil
}

// isClosed reports whether a channel that carries nothing is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
