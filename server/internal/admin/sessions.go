package admin

import (
	"context"
	"net/http"
	"strings"
	"time"

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

type sessionAnswer struct {
	ID          string     `json:"sid"`
	Subject     string     `json:"sub"`
	ClientID    string     `json:"client_id"`
	Resource    string     `json:"resource"`
	Scope       string     `json:"scope"`
	AMR         []string   `json:"amr"`
	AuthTime    time.Time  `json:"auth_time"`
	UserAgent   string     `json:"user_agent"`
	Address     string     `json:"address"`
	Created     time.Time  `json:"created"`
	LastUsed    time.Time  `json:"last_used"`
	IdleExpires time.Time  `json:"idle_expires"`
	Expires     time.Time  `json:"expires"`
	Ended       *time.Time `json:"ended,omitempty"`
	EndReason   string     `json:"end_reason,omitempty"`
}

func newSessionAnswer(s issuer.Session) sessionAnswer {
	return sessionAnswer{
		ID: s.ID, Subject: s.Subject, ClientID: s.ClientID, Resource: s.Resource, Scope: strings.Join(s.Scope, " "), AMR: append([]string{}, s.AMR...),
		AuthTime: s.AuthTime, UserAgent: s.UserAgent, Address: s.Address, Created: s.Created, LastUsed: s.LastUsed,
		IdleExpires: s.IdleExpires, Expires: s.Expires, Ended: optional(s.Ended), EndReason: string(s.EndReason),
	}
}

type sessionsAnswer struct {
	Sessions []sessionAnswer `json:"sessions"`
	Next     string          `json:"next,omitempty"`
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
	answer := sessionsAnswer{Sessions: []sessionAnswer{}, Next: next}
	for _, s := range sessions {
		answer.Sessions = append(answer.Sessions, newSessionAnswer(s))
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
	web.WriteJSON(w, http.StatusOK, newSessionAnswer(session))
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
