package admin

import (
	"context"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Sessions is what this package needs of an *issuer.Issuer about sessions.
type Sessions interface {
	Session(ctx context.Context, sid string) (issuer.Session, error)
	Sessions(ctx context.Context, f issuer.SessionFilter, p issuer.Page) (sessions []issuer.Session, next string, err error)
	EndAnySession(ctx context.Context, sid string) error
	Issue(ctx context.Context, g issuer.Grant) (issuer.Tokens, error)
}

type sessionsAnswer struct {
	Sessions []web.SessionRecord `json:"sessions"`
	Next     string              `json:"next,omitempty"`
}

// listSessions answers a page of sessions, newest first.
func (a *API) listSessions(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "sub", "client_id", "live")
	live := q.flag("live")
	page, filter := q.page(), issuer.SessionFilter{Subject: q.text("sub"), ClientID: q.text("client_id"), Live: live != nil && *live}
	if q.err != nil {
		return q.err
	}
	sessions, next, err := a.issuer.Sessions(r.Context(), filter, page)
	if err != nil {
		return err
	}
	answer := sessionsAnswer{Sessions: []web.SessionRecord{}, Next: next}
	for _, s := range sessions {
		answer.Sessions = append(answer.Sessions, web.NewSessionRecord(s))
	}
	web.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// showSession answers one session.
func (a *API) showSession(w http.ResponseWriter, r *http.Request) error {
	session, err := a.issuer.Session(r.Context(), r.PathValue("sid"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, web.NewSessionRecord(session))
	return nil
}

// endSession ends one session and refuses its access tokens.
func (a *API) endSession(w http.ResponseWriter, r *http.Request) error {
	if err := a.issuer.EndAnySession(r.Context(), r.PathValue("sid")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
