package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// introspection is RFC 7662 §2.2's answer. One that isn't active has no other member.
type introspection struct {
	Active    bool            `json:"active"`
	Issuer    string          `json:"iss,omitempty"`
	Subject   string          `json:"sub,omitempty"`
	Audience  string          `json:"aud,omitempty"`
	ClientID  string          `json:"client_id,omitempty"`
	TokenType string          `json:"token_type,omitempty"` // of an access token
	Expires   int64           `json:"exp,omitempty"`
	IssuedAt  int64           `json:"iat,omitempty"`
	ID        string          `json:"jti,omitempty"`
	SessionID string          `json:"sid,omitempty"`
	Scope     string          `json:"scope,omitempty"`
	AuthTime  int64           `json:"auth_time,omitempty"`
	ACR       string          `json:"acr,omitempty"`
	AMR       json.RawMessage `json:"amr,omitempty"`
	Bound     json.RawMessage `json:"cnf,omitempty"` // RFC 9449 §6.2
	Actor     json.RawMessage `json:"act,omitempty"` // RFC 8693 §4.1
}

// introspect answers POST /oauth2/introspect: what a token is worth right now. Whatever is wrong with one, or whosever
// it is, an inactive token's answer is the same.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	answer, err := s.introspectToken(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	web.NoStore(w)
	web.WriteJSON(w, http.StatusOK, answer)
}

func (s *Server) introspectToken(w http.ResponseWriter, r *http.Request) (introspection, error) {
	var req tokenQuery
	if err := decode(w, r, &req); err != nil {
		return introspection{}, err
	}
	by, err := s.authenticate(r, &req.client)
	if err != nil {
		return introspection{}, clientError(err, true) // RFC 7662 §2.3
	}
	if req.Token == "" {
		return introspection{}, missing("token")
	}
	found, err := s.issuer.Introspect(r.Context(), req.Token, by)
	switch {
	case errors.Is(err, issuer.ErrNotFound):
		return introspection{}, nil
	case errors.Is(err, issuer.ErrUnauthorizedClient): // a public client has proved nothing
		return introspection{}, clientError(issuer.ErrInvalidClient, true)
	case err != nil:
		return introspection{}, err
	}
	return s.newIntrospection(found)
}

func (s *Server) newIntrospection(found issuer.Introspection) (introspection, error) {
	answer := introspection{
		Active: true, Issuer: s.issuer.URL(), Subject: found.Subject, Audience: found.Audience, ClientID: found.ClientID, SessionID: found.SessionID,
		Scope: strings.Join(found.Scope, " "), Expires: found.Expires.Unix(), IssuedAt: found.IssuedAt.Unix(),
	}
	if found.Access == nil {
		return answer, nil
	}
	_, bound := found.Access.Confirmation()
	answer.TokenType, answer.ID = web.TokenType(bound), found.Access.ID()
	err := found.Access.Decode(&struct {
		AuthTime *int64           `json:"auth_time"`
		ACR      *string          `json:"acr"`
		AMR      *json.RawMessage `json:"amr"`
		Bound    *json.RawMessage `json:"cnf"`
		Actor    *json.RawMessage `json:"act"`
	}{&answer.AuthTime, &answer.ACR, &answer.AMR, &answer.Bound, &answer.Actor})
	return answer, err
}
