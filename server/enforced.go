package server

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// refusing are the routes that refuse tokens: their answers say up to where in the revocation log. Where it's true, a
// request may wait, with ?wait=enforced, until every verifier refuses them; the others answer something that mustn't be
// lost for the waiting.
var refusing = map[string]bool{
	"POST /oauth2/revoke":                   true,
	"POST /v1/logout":                       true,
	"DELETE /v1/sessions/{sid}":             true,
	"POST /v1/password":                     false,
	"POST /v1/password/reset/confirm":       true,
	"DELETE /v1/consents/{client}":          true,
	"PATCH /admin/v1/subjects/{sub}":        true,
	"DELETE /admin/v1/subjects/{sub}":       true,
	"POST /admin/v1/subjects/{sub}/logout":  true,
	"PUT /admin/v1/subjects/{sub}/password": true,
	"POST /admin/v1/sessions":               false,
	"DELETE /admin/v1/sessions/{sid}":       true,
	"DELETE /admin/v1/clients/{id}":         true,
	"POST /admin/v1/keys/rotate":            true,
	"DELETE /admin/v1/keys/{kid}":           true,
	"POST /admin/v1/revocations":            true,

	"DELETE /admin/v1/subjects/{sub}/consents/{client}": true,
}

// enforcement is around the routes that refuse tokens.
type enforcement struct {
	server    *Server
	mux       *http.ServeMux // that the routes are in
	base      string
	next      http.Handler
	failOAuth func(http.ResponseWriter, *http.Request, error)
}

func (e *enforcement) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead { // which refuse nothing
		e.next.ServeHTTP(w, r)
		return
	}
	_, pattern := e.mux.Handler(r)
	method, path, _ := strings.Cut(pattern, " ")
	path = strings.TrimPrefix(path, e.base)
	mayWait, refuses := refusing[method+" "+path]
	if !refuses && !(isStrict(path) && r.URL.Query().Has("wait")) {
		e.next.ServeHTTP(w, r)
		return
	}
	fail := web.Fail
	if strings.HasPrefix(path, "/oauth2/") {
		fail = e.failOAuth
	}
	waits, err := wantsEnforced(r, mayWait)
	if err != nil {
		fail(w, r, err)
		return
	}
	c := &change{enforcement: e, request: r, answer: heldAnswer{ResponseWriter: w, status: http.StatusOK}}
	if waits {
		err = e.server.feed.Enforce(r.Context(), strings.HasPrefix(path, "/admin/"), c.make)
		err = errors.Join(c.failed, err)
	} else {
		c.serve()
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	c.answer.send()
}

// isStrict reports whether a path is one at which whoever asks to wait in vain is told so. OAuth's endpoints pass over
// what they don't know (RFC 6749 §3.1 and §3.2), and so do pages.
func isStrict(path string) bool {
	return strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/admin/v1/")
}

// wantsEnforced reads wait from the query.
func wantsEnforced(r *http.Request, may bool) (bool, error) {
	query, err := web.ParseQuery(r)
	switch {
	case err != nil || !query.Has("wait"):
		return false, err
	case query.Get("wait") != "enforced":
		return false, web.NewProblem(http.StatusBadRequest, "wait must be enforced")
	case !may:
		return false, web.NewProblem(http.StatusBadRequest, "nobody can wait here: take the "+web.CursorHeader+", where the answer has one")
	}
	return true, nil
}

// change is a request that refuses tokens, and the answer to it, which is kept back until it may be told.
type change struct {
	*enforcement
	request *http.Request
	answer  heldAnswer
	failed  error // of what is to be done beside the change
}

// serve makes the change, and notes in the answer up to where verifiers have to know the rules.
func (c *change) serve() (at revocation.Cursor, written bool) {
	ctx, receipt := issuer.WithReceipt(c.request.Context())
	inner := c.request.WithContext(ctx)
	c.next.ServeHTTP(&c.answer, inner)
	c.request.Pattern = inner.Pattern // for the log and the metrics, which have the request of outside
	at, written = receipt.Cursor()
	if written {
		c.answer.Header().Set(web.CursorHeader, at.String())
	}
	return at, written
}

// make makes the change for somebody who waits, and says up to where. Where it refused nothing new, it may be one that
// is tried again, since the answer was lost: then the rules up to now count.
func (c *change) make() (at revocation.Cursor, wait bool) {
	at, written := c.serve()
	if c.answer.status >= http.StatusBadRequest {
		return at, false
	}
	if !written {
		head, err := c.server.issuer.LogHead(c.request.Context())
		if err != nil {
			c.failed = err
			return at, false
		}
		at = head.Cursor()
		c.answer.Header().Set(web.CursorHeader, at.String())
	}
	// The deadlines of the server are for requests that wait for nobody. Where there are none there is nothing to lift.
	_ = http.NewResponseController(c.answer.ResponseWriter).SetReadDeadline(time.Time{})
	web.GiveTime(c.answer.ResponseWriter, c.server.feed.LongestWait()+c.server.bounds.write)
	return at, true
}

// heldAnswer is an answer that isn't sent yet.
type heldAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader keeps the status.
func (a *heldAnswer) WriteHeader(status int) { a.status = status }

// Write keeps the body, which is small on all these routes.
func (a *heldAnswer) Write(data []byte) (int, error) { return a.body.Write(data) }

// Unwrap lets http.ResponseController reach the connection.
func (a *heldAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *heldAnswer) send() {
	a.ResponseWriter.WriteHeader(a.status)
	a.ResponseWriter.Write(a.body.Bytes()) // fails when the client is gone
}
