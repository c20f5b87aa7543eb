package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/jot-auth/jot"
)

// The claims about a person that each scope opens (OpenID Connect Core 1.0 §5.4), where the subject's claims have them.
var (
	profileClaims = []string{
		"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender",
		"birthdate", "zoneinfo", "locale", "updated_at",
	}
	emailClaims = []string{"email", "email_verified"}
)

// ErrInsufficientScope is an access token that wasn't given for this.
var ErrInsufficientScope = errors.New("issuer: the access token's scope doesn't reach so far")

// UserInfo returns the claims about a person that its access token opens: sub, and what profile and email in its scope name of the subject's
// claims, as these are now. The caller has verified the token; one without openid is ErrInsufficientScope, and that of a subject that is gone or disabled is
// jot.ErrInvalidToken.
func (i *Issuer) UserInfo(ctx context.Context, token *jot.Token) (map[string]json.RawMessage, error) {
	if !token.HasScope(scopeOpenID) {
		return nil, ErrInsufficientScope
	}
	subject, err := i.Subject(ctx, token.Subject())
	if errors.Is(err, ErrNotFound) || err == nil && subject.Disabled {
		return nil, jot.ErrInvalidToken
	}
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(subject.Claims, &all); err != nil {
		return nil, err
	}
	for name := range all {
		if !(token.HasScope(scopeProfile) && slices.Contains(profileClaims, name)) && !(token.HasScope(scopeEmail) && slices.Contains(emailClaims, name)) {
			delete(all, name)
		}
	}
	all["sub"], err = json.Marshal(subject.ID)
	return all, err
}

// ClaimsSupported are the claims that an ID token or UserInfo may have.
func ClaimsSupported() []string {
	protocol := []string{"acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"}
	return slices.Concat(protocol, profileClaims, emailClaims)
}
