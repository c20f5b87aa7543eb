package admin

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// mediaLines is JSON lines: one JSON object a line.
const mediaLines = "application/jsonl"

const (
	exportBatch   = 500              // events that are read and sent at once
	exportTimeout = 30 * time.Second // for sending one batch
)

// Events is what this package needs of an *issuer.Issuer about events.
type Events interface {
	RecentEvents(ctx context.Context, f issuer.EventFilter, p issuer.Page) (events []issuer.Event, next string, err error)
	Events(ctx context.Context, f issuer.EventFilter, after uint64, limit int) ([]issuer.Event, error)
}

type eventsAnswer struct {
	Events []web.EventRecord `json:"events"`
	Next   string            `json:"next,omitempty"`
}

// listEvents answers a page of events, newest first, or exports all of them.
func (a *API) listEvents(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "kind", "sub", "since", "until")
	page, filter := q.page(), issuer.EventFilter{
		Kind: issuer.EventKind(q.text("kind")), Subject: q.text("sub"), Since: q.time("since"), Until: q.time("until"),
	}
	if q.err != nil {
		return q.err
	}
	if accepts(r, mediaLines) {
		if page != (issuer.Page{}) {
			return web.NewProblem(http.StatusBadRequest, "an export has no pages: leave out after and limit")
		}
		return a.exportEvents(w, r, filter)
	}
	events, next, err := a.issuer.RecentEvents(r.Context(), filter, page)
	if err != nil {
		return err
	}
	answer := eventsAnswer{Events: []web.EventRecord{}, Next: next}
	for _, e := range events {
		answer.Events = append(answer.Events, web.NewEventRecord(e))
	}
	web.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// exportEvents sends all events that match, oldest first, a batch at a time, each with as much time as a whole answer
// has elsewhere. What goes wrong after the first batch cuts the connection, so that nobody takes a part for all.
func (a *API) exportEvents(w http.ResponseWriter, r *http.Request, filter issuer.EventFilter) error {
	events, err := a.issuer.Events(r.Context(), filter, 0, exportBatch)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaLines)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	encoder := json.NewEncoder(w)
	for {
		web.GiveTime(w, exportTimeout)
		for _, e := range events {
			if err := encoder.Encode(web.NewEventRecord(e)); err != nil {
				return nil // the client has gone
			}
		}
		if len(events) < exportBatch {
			return nil
		}
		if events, err = a.issuer.Events(r.Context(), filter, events[len(events)-1].ID, exportBatch); err != nil {
			web.LogFault(r, http.StatusInternalServerError, err)
			panic(http.ErrAbortHandler)
		}
	}
}

// accepts reports whether a request asks for a media type by its name.
func accepts(r *http.Request, media string) bool {
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			if name, _, err := mime.ParseMediaType(part); err == nil && name == media {
				return true
			}
		}
	}
	return false
}
