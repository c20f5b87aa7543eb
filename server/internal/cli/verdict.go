package cli

import (
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
	"github.com/jot-auth/jot/jws"
)

// verdict is the object that jot verify --json prints; scripts rely on it.
type verdict struct {
	Valid bool `json:"valid"`

	Header json.RawMessage `json:"header,omitempty"`
	Claims json.RawMessage `json:"claims,omitempty"`
	KeyID  string          `json:"key_id,omitempty"`

	Payload    *string            `json:"payload,omitempty"` // in base64url, of what isn't a token
	Signatures []verdictSignature `json:"signatures,omitempty"`

	Error  string `json:"error,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// verdictSignature is a signature that held, of what isn't a token.
type verdictSignature struct {
	Algorithm jot.Algorithm   `json:"alg"`
	KeyID     string          `json:"key_id,omitempty"`
	Header    json.RawMessage `json:"header,omitempty"` // protected
}

// acceptance is the verdict on a token that holds.
func acceptance(token *jot.Token) verdict {
	return verdict{Valid: true, Header: token.Header(), Claims: token.Payload(), KeyID: token.KeyID()}
}

// payloadAcceptance is the verdict on a message that holds.
func payloadAcceptance(message *jws.Message) verdict {
	payload := base64.RawURLEncoding.EncodeToString(message.Payload())
	v := verdict{Valid: true, Payload: &payload}
	for _, signature := range message.Signatures() {
		v.Signatures = append(v.Signatures, verdictSignature{signature.Algorithm(), signature.KeyID(), signature.Header()})
	}
	return v
}

// refusal is the verdict on a token that doesn't; ok is false for an error that says nothing about the token.
func refusal(err error) (v verdict, ok bool) {
	name := refusalName(err)
	if name == "" {
		return verdict{}, false
	}
	return verdict{Error: name, Detail: message(err)}, true
}

// refusalNames are the names that scripts branch on.
var refusalNames = []struct {
	err  error
	name string
}{
	{jwe.ErrDecryption, "decryption"},
	{jot.ErrTooLarge, "too_large"},
	{jot.ErrMalformed, "malformed"},
	{jot.ErrAlgorithm, "algorithm"},
	{errConflict, "algorithm"},
	{jot.ErrUnknownKey, "unknown_key"},
	{jot.ErrSignature, "signature"},
	{jot.ErrType, "type"},
	{jot.ErrExpired, "expired"},
	{jot.ErrNotYetValid, "not_yet_valid"},
	{jot.ErrRevoked, "revoked"},
	{jot.ErrStaleClaims, "stale_claims"},
}

// refusalName is empty for an error that says nothing about the token.
func refusalName(err error) string {
	for _, refusal := range refusalNames {
		if errors.Is(err, refusal.err) {
			return refusal.name
		}
	}
	claim, ok := errors.AsType[*jot.ClaimError](err)
	switch {
	case !ok:
		return ""
	case claim.Claim == "iss":
		return "issuer"
	case claim.Claim == "aud":
		return "audience"
	}
	return "claim"
}

// exitCode is the code that a script sees.
func (v verdict) exitCode() int {
	switch {
	case v.Valid:
		return exitOK
	case v.Error == "expired":
		return exitExpired
	}
	return exitInvalid
}
