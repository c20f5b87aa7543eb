package oauth

import (
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange" // RFC 8693

	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token" // RFC 8693 §3
	typeJWT         = "urn:ietf:params:oauth:token-type:jwt"
)

// exchangeParameters are those of RFC 8693 §2.1.
type exchangeParameters struct {
	SubjectToken     string `json:"subject_token"`
	SubjectTokenType string `json:"subject_token_type"`
	ActorToken       string `json:"actor_token"`
	ActorTokenType   string `json:"actor_token_type"`
	RequestedType    string `json:"requested_token_type"`
	Audience         string `json:"audience"`
}

func (p *exchangeParameters) fromForm(form url.Values) {
	p.SubjectToken, p.SubjectTokenType = form.Get("subject_token"), form.Get("subject_token_type")
	p.ActorToken, p.ActorTokenType = form.Get("actor_token"), form.Get("actor_token_type")
	p.RequestedType, p.Audience = form.Get("requested_token_type"), form.Get("audience")
}

// exchange trades an access token for one with which its client acts further on. Here a resource's identifier is its
// audience, so both parameters name the same.
func (s *Server) exchange(r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	switch {
	case req.SubjectToken == "":
		return issuer.Tokens{}, missing("subject_token")
	case req.SubjectTokenType == "":
		return issuer.Tokens{}, missing("subject_token_type")
	case !isAccessTokenType(req.SubjectTokenType):
		return issuer.Tokens{}, invalidRequest("subject_token_type must be that of an access token or a JWT")
	case req.ActorToken != "" || req.ActorTokenType != "":
		return issuer.Tokens{}, invalidRequest("an actor_token is not taken: the client itself is the actor")
	case req.RequestedType != "" && !isAccessTokenType(req.RequestedType):
		return issuer.Tokens{}, invalidRequest("requested_token_type must be that of an access token or a JWT")
	case req.Audience != "" && req.Resource != "" && req.Audience != req.Resource:
		return issuer.Tokens{}, issuer.ErrInvalidTarget
	}
	target := req.Audience
	if target == "" {
		target = req.Resource
	}
	return s.issuer.ExchangeToken(r.Context(), issuer.Exchange{
		ClientID: req.ID, SubjectToken: req.SubjectToken, Resource: target, Scope: web.ParseScope(req.Scope), KeyThumbprint: req.keyThumbprint,
	})
}

func isAccessTokenType(t string) bool { return t == typeAccessToken || t == typeJWT }
