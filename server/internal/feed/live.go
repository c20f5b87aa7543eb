package feed

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	frameTimeout = 5 * time.Second // for writing one frame
	maxLag       = 256             // frames that a connection may be behind
	maxLogID     = 128             // bytes
	maxNonce     = 64              // bytes
)

// live streams the frames after a position of the log, as server-sent events.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	wish, err := parseJoin(r)
	if err != nil {
		web.WriteProblem(w, web.NewProblem(http.StatusBadRequest, err.Error()))
		return
	}
	defer s.streams.Add(-1)
	if s.streams.Add(1) > s.maxStreams {
		web.Fail(w, r, issuer.ErrBusy)
		return
	}
	switch answer, err := s.hub.join(r.Context(), wish); {
	case errors.Is(err, errOtherLog):
		web.WriteProblem(w, web.NewProblem(http.StatusConflict, "this is not the log, or it ends earlier; take a snapshot"))
	case errors.Is(err, errTooOld):
		web.WriteProblem(w, web.NewProblem(http.StatusGone, "the log goes back less far; take a snapshot"))
	case err != nil:
		web.Fail(w, r, err)
	default:
		s.stream(w, r, answer)
	}
}

// parseJoin reads after, log and nonce from the query. The ID of the last event that a client has seen
// takes the place of after, as the EventSource of browsers has it.
func parseJoin(r *http.Request) (join, error) {
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
	return j, nil
}

func validNonce(nonce string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return len(nonce) >= 16 && len(nonce) <= maxNonce && strings.Trim(nonce, alphabet) == ""
}

// stream sends frames until the client is gone or too slow, or the hub ends the stream.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, from joined) {
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
	send := func(data []byte, more bool) bool {
		err := control.SetWriteDeadline(time.Now().Add(frameTimeout))
		if err == nil {
			_, err = w.Write(data)
		}
		if err == nil && !more {
			err = control.Flush()
		}
		return err == nil
	}
	ok := send(from.first, false)
	for at := from.frame; ok && s.hub.newest.Load()-at.number <= maxLag; {
		select {
		case <-at.ready:
		case <-from.ended:
			return
		case <-r.Context().Done():
			return
		}
		at = at.next
		ok = send(at.data, isReady(at))
	}
}

// isReady reports whether another frame follows already.
func isReady(f *frame) bool {
	select {
	case <-f.ready:
		return true
	default:
		return false
	}
}
