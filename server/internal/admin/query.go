package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// query reads the parameters of a list: those named beside after and limit, each at most once. It remembers the first
// error.
type query struct {
	values url.Values
	err    error
}

func readQuery(r *http.Request, names ...string) *query {
	values, err := web.ParseQuery(r)
	q := &query{values: values, err: err}
	for name := range values {
		if name != "after" && name != "limit" && !slices.Contains(names, name) {
			q.fail("the query has an unknown parameter")
		}
	}
	return q
}

func (q *query) fail(detail string) {
	if q.err == nil {
		q.err = web.NewProblem(http.StatusBadRequest, detail)
	}
}

func (q *query) text(name string) string { return q.values.Get(name) }

// page is the part of the list that is asked for.
func (q *query) page() issuer.Page {
	p := issuer.Page{After: q.text("after")}
	if text := q.text("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > issuer.MaxPage {
			q.fail("limit must be 1 to " + strconv.Itoa(issuer.MaxPage))
		}
		p.Limit = limit
	}
	return p
}

// flag is true or false, or nil where the parameter is absent.
func (q *query) flag(name string) *bool {
	switch q.text(name) {
	case "":
		return nil
	case "true", "false":
		value := q.text(name) == "true"
		return &value
	}
	q.fail(name + " must be true or false")
	return nil
}

// time is a date as RFC 3339 writes it, zero where the parameter is absent.
func (q *query) time(name string) time.Time {
	text := q.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1970 {
		q.fail(name + " must be a time such as 2026-01-02T15:04:05Z (RFC 3339)")
	}
	return t
}
