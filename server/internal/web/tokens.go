package web

import (
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// TokenAnswer is RFC 6749 §5.1's answer. Where cookies bear the tokens it has none.
type TokenAnswer struct {
	Access    string `json:"access_token,omitempty"`
	Type      string `json:"token_type,omitempty"`
	ExpiresIn int64  `json:"expires_in"` // seconds
	Refresh   string `json:"refresh_token,omitempty"`
	Scope     string `json:"scope"`
	ID        string `json:"id_token,omitempty"` // OpenID Connect Core 1.0 §3.1.3.3
}

// NewTokenAnswer makes the answer with tokens.
func NewTokenAnswer(t issuer.Tokens) TokenAnswer {
	return TokenAnswer{
		Access:    t.Access,
		Type:      TokenType(t.KeyThumbprint != ""),
		ExpiresIn: int64(t.ExpiresIn / time.Second),
		Refresh:   t.Refresh,
		Scope:     strings.Join(t.Scope, " "),
		ID:        t.ID,
	}
}

// TokenType is how an access token is to be used: "DPoP" where it's bound to a key (RFC 9449 §5), and else "Bearer".
func TokenType(bound bool) string {
	if bound {
		return "DPoP"
	}
	return "Bearer"
}

// RefuseBound refuses an access token that is bound to a key, where no proof of it is asked for: as a bearer token it's
// worth nothing.
func RefuseBound(token *jot.Token) error {
	if _, bound := token.Confirmation(); bound {
		return InvalidToken("the access token is bound to a key, and this endpoint takes bearer tokens alone")
	}
	return nil
}
