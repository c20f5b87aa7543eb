package jot

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot/internal/jose"
)

// Token is a verified token: one exists only after the signature held and the verifier's policy passed. It's opaque and
// immutable, safe for concurrent use, and holds on to nothing but its own header and payload, and its encoded form
// where the verifier remembers it (VerifierOptions.CacheSize).
type Token struct {
	header  *header
	key     VerificationKey
	buffer  string // the payload, then the texts of the claims below
	payload int32  // its length within buffer

	claims         claimSet
	recipient      [1]span // room for an audience of one
	refreshAdvised bool
}

func (t *Token) text(s span) string { return t.buffer[s.start:s.end] }

// Issuer returns "iss" (RFC 7519 §4.1.1); empty when absent.
func (t *Token) Issuer() string { return t.text(t.claims.issuer) }

// Subject returns "sub" (RFC 7519 §4.1.2); empty when absent.
func (t *Token) Subject() string { return t.text(t.claims.subject) }

// Audience returns "aud" (RFC 7519 §4.1.3) as a list, whether it was written as one or not.
func (t *Token) Audience() []string {
	audience := make([]string, len(t.claims.audience))
	for i, place := range t.claims.audience {
		audience[i] = t.text(place)
	}
	return audience
}

// HasAudience reports whether "aud" names the recipient, compared byte by byte.
func (t *Token) HasAudience(recipient string) bool {
	return slices.ContainsFunc(t.claims.audience, func(s span) bool { return t.text(s) == recipient })
}

// Expires returns "exp" (RFC 7519 §4.1.4); the zero time when absent, which only a verifier with NoExpiry accepts.
func (t *Token) Expires() time.Time { return t.claims.expires.time() }

// NotBefore returns "nbf" (RFC 7519 §4.1.5); the zero time when absent.
func (t *Token) NotBefore() time.Time { return t.claims.notBefore.time() }

// IssuedAt returns "iat" (RFC 7519 §4.1.6); the zero time when absent.
func (t *Token) IssuedAt() time.Time { return t.claims.issuedAt.time() }

// AuthTime returns "auth_time", when the subject last proved who it is (OpenID Connect Core §2); the zero time when
// absent.
func (t *Token) AuthTime() time.Time { return t.claims.authTime.time() }

// ID returns "jti" (RFC 7519 §4.1.7); empty when absent.
func (t *Token) ID() string { return t.text(t.claims.id) }

// SessionID returns "sid", the login that this token descends from; empty when absent.
func (t *Token) SessionID() string { return t.text(t.claims.session) }

// ClientID returns "client_id" (RFC 9068 §2.2); empty when absent.
func (t *Token) ClientID() string { return t.text(t.claims.client) }

// Scope returns "scope": scopes between single spaces (RFC 8693 §4.2); empty when absent.
func (t *Token) Scope() string { return t.text(t.claims.scope) }

// Scopes ranges over the single scopes of "scope".
func (t *Token) Scopes() iter.Seq[string] {
	return func(yield func(string) bool) {
		for scope := range strings.SplitSeq(t.Scope(), " ") { // and at no other white space (RFC 6749 §3.3)
			if scope != "" && !yield(scope) {
				return
			}
		}
	}
}

// HasScope reports whether "scope" contains this one scope, compared byte by byte (RFC 6749 §3.3).
func (t *Token) HasScope(scope string) bool {
	for s := range t.Scopes() {
		if s == scope {
			return true
		}
	}
	return false
}

// Generation returns "gen", the count of changes to the subject's claims when the token was made; 0 when absent.
func (t *Token) Generation() uint64 { return t.claims.generation }

// Confirmation returns the "jkt" of "cnf": the thumbprint of the key whose holder alone may use the token (RFC 7800
// §3.1, RFC 9449 §6.1), the base64url of its SHA-256. bound is true wherever there is a "cnf", also one that binds the
// token in another way. Whoever takes a bound token without a proof takes it from a thief, too: package jothttp asks
// for the proof.
func (t *Token) Confirmation() (thumbprint string, bound bool) {
	return t.text(t.claims.confirmation), t.claims.bound
}

// RefreshAdvised reports that the subject's claims were changed since, in a way that leaves this token valid:
// a refresh brings the new ones.
func (t *Token) RefreshAdvised() bool { return t.refreshAdvised }

// KeyID returns the key ID of the key that verified the token, whatever its header says.
func (t *Token) KeyID() string {
	if t.key == nil { // the zero value is no token
		return ""
	}
	return t.key.KeyID()
}

// Algorithm returns the algorithm of the key that verified the token.
func (t *Token) Algorithm() Algorithm {
	if t.key == nil {
		return ""
	}
	return t.key.Algorithm()
}

// Type returns the header's "typ" (RFC 7515 §4.1.9); empty when absent.
func (t *Token) Type() string {
	if t.header == nil {
		return ""
	}
	return t.header.typ
}

// Header returns a copy of the decoded JOSE header, JSON.
func (t *Token) Header() []byte {
	if t.header == nil {
		return nil
	}
	return []byte(t.header.decoded)
}

// Payload returns a copy of the decoded claims, JSON.
func (t *Token) Payload() []byte { return []byte(t.buffer[:t.payload]) }

// Decode stores the claims in the value that v points to, as encoding/json does, except that names are case-sensitive:
// a claim "Role" never fills a field named "role". The signature and policy have been checked before. Its error is a
// *DecodeError.
func (t *Token) Decode(v any) error {
	if err := jose.Unmarshal(t.Payload(), v); err != nil {
		return decodeError(v, err)
	}
	return nil
}

// decodeError hides what the cause quotes.
func decodeError(v any, cause error) *DecodeError {
	failure := &DecodeError{Type: fmt.Sprintf("%T", v)}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](cause); ok {
		failure.Field, failure.Type = mismatch.Field, mismatch.Type.String()
	}
	return failure
}

// Format writes the token's ID and session, whatever the verb: claims are about people, and logs aren't the place for
// them.
func (t Token) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "token %q of session %q", t.ID(), t.SessionID())
}

// LogValue is what log/slog writes: the token's ID and session.
func (t Token) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(t)) }
