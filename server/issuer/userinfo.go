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

// UserInfo returns the claims about a person that its access token opens: sub, and what profile and email in its scope
// name of the subject's claims, as these are now. A scope that the token's resource declares is that resource's own,
// and opens nothing here. The caller has verified the token; one without openid is ErrInsufficientScope, and that of a
// subject that is gone or disabled, or of a resource that is gone, jot.ErrInvalidToken.
func (i *Issuer) UserInfo(ctx context.Context, token *jot.Token) (map[string]json.RawMessage, error) {
	return i.UserInfoOf(ctx, token, func(context.Context, string) (Known, error) { return Known{}, nil })
}

// Known is what an account says of its owner, where the subject's claims say nothing of it.
type Known struct {
	Username string // opened by profile, as preferred_username
	Email    string // that was verified; opened by email
}

// UserInfoOf is UserInfo, with what who answers about a subject beside its claims. It's asked for a token alone that
// opens some of that.
func (i *Issuer) UserInfoOf(ctx context.Context, token *jot.Token, who func(ctx context.Context, sub string) (Known, error)) (map[string]json.RawMessage, error) {
	resource, err := i.resourceOfToken(ctx, token)
	if err != nil {
		return nil, err
	}
	opens := func(scope string) bool { return token.HasScope(scope) && isIdentity(scope, &resource) }
	if !opens(scopeOpenID) {
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
		if !(opens(scopeProfile) && slices.Contains(profileClaims, name)) && !(opens(scopeEmail) && slices.Contains(emailClaims, name)) {
			delete(all, name)
		}
	}
	var known Known
	asksName, asksEmail := opens(scopeProfile) && all["preferred_username"] == nil, opens(scopeEmail) && all["email"] == nil
	if asksName || asksEmail {
		if known, err = who(ctx, subject.ID); err != nil {
			return nil, err
		}
	}
	own := map[string]any{"sub": subject.ID}
	if asksName && known.Username != "" {
		own["preferred_username"] = known.Username
	}
	if asksEmail && known.Email != "" {
		own["email"], own["email_verified"] = known.Email, true
	}
	for name, value := range own {
		if all[name], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// resourceOfToken is the resource that an access token is for.
func (i *Issuer) resourceOfToken(ctx context.Context, token *jot.Token) (Resource, error) {
	audience := token.Audience()
	if len(audience) != 1 {
		return Resource{}, jot.ErrInvalidToken
	}
	resource, err := i.Resource(ctx, audience[0])
	if errors.Is(err, ErrNotFound) {
		err = jot.ErrInvalidToken
	}
	return resource, err
}

// ClaimsSupported are the claims that an ID token or UserInfo may have.
func ClaimsSupported() []string {
	protocol := []string{"acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"}
	return slices.Concat(protocol, profileClaims, emailClaims)
}
