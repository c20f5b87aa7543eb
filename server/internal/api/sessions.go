package api

import (
	"net/http"
	"regexp"
	"strconv"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	defaultPage = 50
	maxPage     = 200
)

type sessionsAnswer struct {
	Sessions []sessionAnswer `json:"sessions"`
	Next     string          `json:"next,omitempty"` // the after of the next page
}

type sessionAnswer struct {
	ID        string `json:"sid"`
	ClientID  string `json:"client_id"`
	Created   int64  `json:"created"`    // Unix seconds, as are the others
	LastUsed  int64  `json:"last_used"`  // of the last login or refresh
	Expires   int64  `json:"expires"`    // when it ends unless it is refreshed
	UserAgent string `json:"user_agent"` // of the last login or refresh
	Address   string `json:"address"`    // likewise
	Current   bool   `json:"current"`    // it's the one that asks
}

// listSessions answers where the person is logged in.
func (a *API) listSessions(w http.ResponseWriter, r *http.Request) {
	tok, err := a.authenticate(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	after, limit, err := page(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	sessions, next, err := a.issuer.SessionsOf(r.Context(), tok.Subject(), after, limit)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	answer := sessionsAnswer{Sessions: []sessionAnswer{}, Next: next}
	for _, s := range sessions {
		answer.Sessions = append(answer.Sessions, newSessionAnswer(s, tok))
	}
	web.WriteJSON(w, http.StatusOK, answer)
}

func newSessionAnswer(s issuer.Session, tok *jot.Token) sessionAnswer {
	expires := s.IdleExpires
	if s.Expires.Before(expires) {
		expires = s.Expires
	}
	return sessionAnswer{
		ID: s.ID, ClientID: s.ClientID, Created: s.Created.Unix(), LastUsed: s.LastUsed.Unix(), Expires: expires.Unix(),
		UserAgent: s.UserAgent, Address: s.Address, Current: s.ID == tok.SessionID(),
	}
}

// page reads the query of a list: after, a cursor, and limit, from 1 to 200.
func page(r *http.Request) (after string, limit int, err error) {
	values, err := web.ParseQuery(r)
	if err != nil {
		return "", 0, err
	}
	limit = defaultPage
	for name := range values {
		switch value := values.Get(name); {
		case name == "after" && sessionID.MatchString(value):
			after = value
		case name == "limit":
			if limit, err = strconv.Atoi(value); err != nil || limit < 1 || limit > maxPage {
				return "", 0, errPage
			}
		default:
			return "", 0, errPage
		}
	}
	return after, limit, nil
}

// sessionID is what a cursor looks like: the ID of the last session of the page before.
var sessionID = regexp.MustCompile(`^[A-Z2-7]{26}$`)

var errPage = web.NewProblem(http.StatusBadRequest, "the query may have after, the next of the page before, and limit, a number from 1 to 200")

// endSession logs the person out of one of its sessions.
func (a *API) endSession(w http.ResponseWriter, r *http.Request) {
	tok, err := a.authenticate(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	sid := r.PathValue("sid")
	if err := a.issuer.EndSession(r.Context(), tok.Subject(), sid); err != nil {
		web.Fail(w, r, err)
		return
	}
	if sid == tok.SessionID() && hasCookies(r) {
		a.clearCookies(w)
	}
	w.WriteHeader(http.StatusNoContent)
}
