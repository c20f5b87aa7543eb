package server

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

// namedPeople are an issuer's, whose UserInfo tells the name by which they log in, too.
type namedPeople struct {
	*issuer.Issuer
	accounts *accounts.Accounts
}

// UserInfo is the issuer's, with preferred_username (OpenID Connect Core 1.0 section 5.1) where the scope has profile, and the subject's claims say no other.
func (p namedPeople) UserInfo(ctx context.Context, token *jot.Token) (map[string]json.RawMessage, error) {
	claims, err := p.Issuer.UserInfo(ctx, token)
	if err != nil || !token.HasScope("profile") || claims["preferred_username"] != nil {
		return claims, err
	}
	name, err := p.accounts.NameOf(ctx, token.Subject())
	if errors.Is(err, issuer.ErrNotFound) {
		return claims, nil
	}
	if err == nil {
		claims["preferred_username"], err = json.Marshal(name)
	}
	return claims, err
}
