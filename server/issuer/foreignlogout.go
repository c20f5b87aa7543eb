package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/strictjson"
)

// LogOutForeign takes a logout token of one of Config.ForeignIssuers, and refuses the tokens that it is about: those of
// one session, where it names one, or else the subject's, up to the moment of the logout. When it returns nil the rules
// are durable and published.
//
// A token that isn't valid (OpenID Connect Back-Channel Logout 1.0 §2.6), or that was taken before, is an *InputError.
// It fails with jot.ErrUnavailable when the issuer's keys can't be had, and with ErrBusy when that issuer has logged
// too many out.
func (i *Issuer) LogOutForeign(ctx context.Context, raw string) error {
	f := i.foreign[unverifiedIssuer(raw)]
	if f == nil {
		return badLogout("is none, or of an issuer that isn't configured")
	}
	logout, err := f.open(ctx, raw)
	if err != nil {
		return err
	}
	if !f.logouts.take(i.config.Now()) {
		return ErrBusy
	}
	// That the token is new and what it refuses are one commit: of two deliveries at once one writes the rules, and one
	// that failed can be repeated.
	err = i.commit(ctx, func(u *update) error {
		if err := u.InsertLogoutToken(logout.hash, logout.expires); err != nil {
			return err
		}
		u.rules = append(u.rules, logout.rule)
		return u.audit(EventForeignLogout, Event{Detail: logout.detail})
	})
	if err != nil {
		f.logouts.giveBack()
	}
	if errors.Is(err, ErrTaken) {
		return badLogout("was taken before")
	}
	return err
}

// foreignLogout is what a logout token says.
type foreignLogout struct {
	hash    [32]byte // of its issuer and ID
	expires time.Time
	rule    revocation.Rule
	detail  string
}

// unjudgedClaims are those of a logout token that no verifier judges.
type unjudgedClaims struct {
	Session string                     `json:"sid"`
	Events  map[string]json.RawMessage `json:"events"`
	Nonce   json.RawMessage            `json:"nonce"`
}

func badLogout(reason string) error { return &InputError{"logout_token", reason} }

// unverifiedIssuer reads whose key to ask for; "" where nobody can tell.
func unverifiedIssuer(raw string) string {
	if len(raw) > maxLogoutToken {
		return ""
	}
	inspected := jot.Inspect(raw)
	var claims struct {
		Issuer string `json:"iss"`
	}
	if inspected.Err() != nil || strictjson.Unmarshal(inspected.Payload.Decoded, &claims) != nil {
		return ""
	}
	return claims.Issuer
}

// open verifies a logout token (§2.6).
func (f *foreignIssuer) open(ctx context.Context, raw string) (foreignLogout, error) {
	token, err := f.verify(ctx, raw)
	if err != nil {
		return foreignLogout{}, err
	}
	var claims unjudgedClaims
	if err := token.Decode(&claims); err != nil {
		return foreignLogout{}, badLogout("has a sid or events of the wrong type")
	}
	switch {
	case claims.Nonce != nil:
		return foreignLogout{}, badLogout("has a nonce, as ID tokens do")
	case !isObject(claims.Events[logoutEvent]):
		return foreignLogout{}, badLogout("has no back-channel logout among its events")
	case checkName("jti", token.ID()) != nil:
		return foreignLogout{}, badLogout("has no jti, or one that is too long")
	}
	rule, err := f.rule(token, claims.Session)
	return foreignLogout{
		hash: logoutHash(token), expires: token.Expires().Add(logoutLeeway), rule: rule,
		detail: f.URL + " logged " + rule.Value + " out",
	}, err
}

func (f *foreignIssuer) verify(ctx context.Context, raw string) (token *jot.Token, err error) {
	for _, verifier := range f.verifiers {
		token, err = verifier.Verify(ctx, raw)
		var claim *jot.ClaimError
		switch {
		case err == nil:
			return token, nil
		case !errors.Is(err, jot.ErrInvalidToken):
			return nil, err
		case errors.As(err, &claim):
			err = badLogout("isn't right: " + claim.Claim + " " + claim.Reason)
		case errors.Is(err, jot.ErrExpired), errors.Is(err, jot.ErrNotYetValid):
			err = badLogout("is not of this time")
		default:
			err = badLogout("is malformed, or not signed by a key of its issuer")
		}
	}
	return nil, err
}

func isObject(value json.RawMessage) bool { return strings.HasPrefix(string(value), "{") }

func logoutHash(token *jot.Token) [32]byte {
	return sha256.Sum256([]byte(token.Issuer() + "\x00" + token.ID()))
}

// rule says which tokens the logout refuses. What it takes for the time of the logout is the token's iat, on the same
// clock as that of the tokens that it refuses; they count whole seconds, so a token of the same second is refused too.
func (f *foreignIssuer) rule(token *jot.Token, session string) (revocation.Rule, error) {
	subject := token.Subject()
	for name, text := range map[string]string{"sub": subject, "sid": session} {
		if text != "" && checkName(name, text) != nil {
			return revocation.Rule{}, badLogout("has a " + name + " that is too long or no text")
		}
	}
	issued := token.IssuedAt()
	rule := revocation.Rule{Issuer: f.URL, Expires: outlive(issued.Add(f.MaxTTL))}
	switch {
	case session != "" && subject != "" && !f.WholeSubject:
		rule.Kind, rule.Value, rule.Subject = revocation.Session, session, subject
	case session != "" && !f.WholeSubject:
		rule.Kind, rule.Value = revocation.BareSession, session
	case subject != "":
		rule.Kind, rule.Value, rule.Minimum = revocation.SubjectIssuedAt, subject, issued.Unix()+1
	case session != "":
		return revocation.Rule{}, badLogout("has no sub, by which alone this issuer's tokens can be told")
	default:
		return revocation.Rule{}, badLogout("has neither sub nor sid")
	}
	return rule, nil
}
