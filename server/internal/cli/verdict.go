package cli

import (
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
	"github.com/jot-auth/jot/jws"
	"github.com/jot-auth/jot/server/internal/refusal"
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

// rejection is the verdict on a token that doesn't; ok is false for an error that says nothing about the token.
func rejection(err error) (v verdict, ok bool) {
	name := refusalName(err)
	if name == "" {
		return verdict{}, false
	}
	return verdict{Error: name, Detail: message(err)}, true
}

// refusalName is what scripts branch on, and empty for an error that says nothing about the token.
func refusalName(err error) string {
	switch {
	case errors.Is(err, jwe.ErrDecryption):
		return "decryption"
	case errors.Is(err, errConflict):
		return "algorithm"
	}
	return refusal.Name(err)
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
