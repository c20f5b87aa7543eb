package feed

import (
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
	maxLogID    = 128       // bytes
	maxNonce    = 64        // bytes
	maxVerifier = 128       // bytes
	maxSequence = 1<<63 - 1 // that databases hold
)

// visit is a connection's place among the streams, from its request on.
type visit struct {
	feed     *Server
	presence *presence // nil: it isn't registered
}

func (v visit) end() {
	if v.presence != nil {
		v.feed.registry.leave(v.presence)
	}
	v.feed.streams.Add(-1)
}

// live streams the frames after a position of the log, as server-sent events.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	s.answering.Add(1)
	defer s.answering.Add(-1)
	wish, err := s.parseJoin(r)
	if err != nil {
		web.WriteProblem(w, web.NewProblem(http.StatusBadRequest, err.Error()))
		return
	}
	stays := false
	v := visit{feed: s}
	defer func() {
		if !stays {
			v.end()
		}
	}()
	if s.streams.Add(1) > s.maxStreams {
		web.Fail(w, r, issuer.ErrBusy)
		return
	}
	v.presence, err = s.registry.enter(r.Context(), holderOf(r), wish.verifier, wish.maxStaleness) // before the log is read
	if err != nil {
		web.Fail(w, r, err)
		return
	}
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
		stays = s.stream(w, r, first, answer.frame, answer.ended, v)
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

// parseVerifier reads who registers. A stream of nobody counts as a verifier that trusts a statement for as long as any
// may, and acknowledges nothing.
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
