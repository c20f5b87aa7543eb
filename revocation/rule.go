package revocation

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Kind says which tokens a Rule is about and how it compares them.
type Kind string

// The kinds of rule. A jti or sid rule names its subject too, so that one subject's identifiers can
// never refuse another's tokens; a bare sid is of whoever the issuer says.
const (
	TokenID               Kind = "jti"          // one token
	Session               Kind = "sid"          // every token of one session
	BareSession           Kind = "bare_sid"     // the same, where the issuer didn't say whose session it is (OpenID Connect Back-Channel Logout 1.0)
	SubjectGeneration     Kind = "sub_gen"      // tokens of a subject with an older generation: stale claims
	SubjectSoftGeneration Kind = "sub_soft_gen" // the same, but the token is accepted and a refresh advised
	SubjectIssuedAt       Kind = "sub_iat"      // tokens of a subject issued before Minimum
	ClientIssuedAt        Kind = "client_iat"   // tokens of a client issued before Minimum
	IssuerIssuedAt        Kind = "iss_iat"      // every token of the issuer issued before Minimum
	Key                   Kind = "kid"          // every token that this key verified, by the name that it has there (jot.KeyOptions)
)

// maxText bounds each text of a rule, in bytes.
const maxText = 1024

// Rule refuses, or advises to refresh, the tokens of one issuer that it matches.
type Rule struct {
	Kind    Kind   `json:"kind"`
	Issuer  string `json:"iss"`
	Value   string `json:"value,omitempty"` // the jti, sid, sub, client_id or kid; empty for IssuerIssuedAt
	Subject string `json:"sub,omitempty"`   // of TokenID and Session rules: whose; empty otherwise
	Minimum int64  `json:"min,omitempty"`   // the lowest generation, or Unix second of issue, that is still accepted
	Expires int64  `json:"exp,omitempty"`   // Unix second after which no token that it matches can be alive; 0 of Key rules: never
}

// Validate reports the first thing that is wrong with the rule. Every rule that is applied, chained,
// sent or received must pass.
func (r Rule) Validate() error {
	for _, text := range [...]string{r.Issuer, r.Value, r.Subject} {
		if len(text) > maxText {
			return fmt.Errorf("revocation rule: a text has %d bytes, want at most %d", len(text), maxText)
		}
		if !utf8.ValidString(text) {
			return errors.New("revocation rule: a text is not valid UTF-8")
		}
	}
	if r.Issuer == "" {
		return errors.New("revocation rule: no issuer")
	}
	return r.validateKind()
}

func (r Rule) validateKind() error {
	shape, known := shapes[r.Kind]
	switch {
	case !known:
		return errors.New("revocation rule: unknown kind")
	case (r.Value != "") != shape.value:
		return fmt.Errorf("revocation rule %s: value is missing or must not be there", r.Kind)
	case (r.Subject != "") != shape.subject:
		return fmt.Errorf("revocation rule %s: subject is missing or must not be there", r.Kind)
	case r.Minimum < 0 || (r.Minimum != 0) != shape.minimum:
		return fmt.Errorf("revocation rule %s: minimum is missing, negative or must not be there", r.Kind)
	case r.Expires < 0 || (r.Expires != 0) != shape.expires:
		return fmt.Errorf("revocation rule %s: expiry is missing, negative or must not be there", r.Kind)
	}
	return nil
}

// shape says which fields the rules of a kind have; the others must be zero, so that a rule has
// exactly one encoding.
type shape struct{ value, subject, minimum, expires bool }

var shapes = map[Kind]shape{
	TokenID:               {value: true, subject: true, expires: true},
	Session:               {value: true, subject: true, expires: true},
	BareSession:           {value: true, expires: true},
	SubjectGeneration:     {value: true, minimum: true, expires: true},
	SubjectSoftGeneration: {value: true, minimum: true, expires: true},
	SubjectIssuedAt:       {value: true, minimum: true, expires: true},
	ClientIssuedAt:        {value: true, minimum: true, expires: true},
	IssuerIssuedAt:        {minimum: true, expires: true},
	Key:                   {value: true},
}
