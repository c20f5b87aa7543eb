package feed

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// maxSegmentBytes bounds what is kept of segments.
const maxSegmentBytes = 64 << 20

var errIncomplete = errors.New("feed: the log isn't as long yet")

// segments makes each segment once, at most one at a time, and keeps the newest ones, in at most maxSegmentBytes.
type segments struct {
	log    Log
	making chan struct{} // holds an element for who may touch the rest

	of   string // the log that they are of
	kept map[uint64][]byte
	size int
}

func newSegments(l Log) *segments { return &segments{log: l, making: make(chan struct{}, 1)} }

// named returns a segment of a log. It fails with errOtherLog, errIncomplete, or errTooOld where a snapshot is the
// shorter way.
func (s *segments) named(ctx context.Context, log string, number uint64) ([]byte, error) {
	select {
	case s.making <- struct{}{}:
		defer func() { <-s.making }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	head, err := s.log.LogHead(ctx)
	complete := head.Sequence / revocation.SegmentRules
	switch {
	case err != nil:
		return nil, err
	case log != head.LogID:
		return nil, errOtherLog
	case number >= complete:
		return nil, errIncomplete
	case complete-number > revocation.MaxSegments:
		return nil, errTooOld
	}
	if found := s.find(log, number); found != nil {
		return found, nil
	}
	return s.make(ctx, log, number)
}

func (s *segments) make(ctx context.Context, log string, number uint64) ([]byte, error) {
	rules, head, err := s.log.LogEntries(ctx, number*revocation.SegmentRules, revocation.SegmentRules)
	switch {
	case errors.Is(err, issuer.ErrSwept):
		return nil, errTooOld
	case err != nil:
		return nil, err
	case head.LogID != log:
		return nil, errOtherLog
	}
	body, err := revocation.AppendSegment(nil, rules)
	if err != nil {
		return nil, err
	}
	s.keep(log, number, body)
	return body, nil
}

func (s *segments) find(log string, number uint64) []byte {
	if s.of != log {
		return nil
	}
	return s.kept[number]
}

func (s *segments) keep(log string, number uint64, body []byte) {
	if s.of != log {
		s.of, s.kept, s.size = log, make(map[uint64][]byte), 0
	}
	s.kept[number] = body
	for s.size += len(body); s.size > maxSegmentBytes || len(s.kept) > revocation.MaxSegments; {
		oldest := slices.Min(slices.Collect(maps.Keys(s.kept)))
		s.size -= len(s.kept[oldest])
		delete(s.kept, oldest)
	}
}

// segment answers with a segment of the log.
func (s *Server) segment(w http.ResponseWriter, r *http.Request) {
	log, number, err := parseSegmentName(r)
	if err != nil {
		web.WriteProblem(w, web.NewProblem(http.StatusBadRequest, err.Error()))
		return
	}
	switch body, err := s.segments.named(r.Context(), log, number); {
	case errors.Is(err, errOtherLog):
		web.WriteProblem(w, web.NewProblem(http.StatusConflict, "this is not the log; take a snapshot"))
	case errors.Is(err, errTooOld):
		web.WriteProblem(w, web.NewProblem(http.StatusGone, "too far behind; take a snapshot"))
	case errors.Is(err, errIncomplete):
		web.WriteProblem(w, web.NewProblem(http.StatusNotFound, "the segment isn't complete yet; take the live stream"))
	case err != nil:
		web.Fail(w, r, err)
	default:
		s.download(w, r, revocation.SegmentType, body)
	}
}

// parseSegmentName reads the number from the path and the log from the query.
func parseSegmentName(r *http.Request) (log string, number uint64, err error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(query["log"]) != 1 || len(query) != 1 {
		return "", 0, errors.New("log is needed, once, and nothing else")
	}
	number, err = revocation.ParseSequence(r.PathValue("number"))
	if log = query.Get("log"); err != nil || log == "" || len(log) > maxLogID {
		return "", 0, errors.New("log is the log's ID, and a segment is named by its number")
	}
	return log, number, nil
}
