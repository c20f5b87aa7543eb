package jws

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/internal/jose"
)

// SignerOptions are what a signer writes into the protected headers of its messages, and how it writes the payload.
type SignerOptions struct {
	// Type is the header's "typ" (RFC 7515 §4.1.9): what kind of message this is. It's stated, or waived by NoType: a
	// token verifier takes a message without a type for a JWT if the payload looks like claims, so whoever has a say in
	// the payload could have a token signed (RFC 8725 §2.7, §3.11). For the same reason a JWT's type is refused: tokens
	// are signed by package jot.
	Type   string
	NoType bool

	// ContentType is the header's "cty": the media type of the payload (RFC 7515 §4.1.10). Empty leaves it out.
	ContentType string

	// Detached leaves the payload out of the message; the verifier gets it another way (RFC 7515 appendix F).
	Detached bool

	// Unencoded signs the payload as it is, without base64url (RFC 7797). In a message it must be valid UTF-8, in the
	// compact serialization printable ASCII without dots; with Detached it may be any bytes.
	Unencoded bool

	// Header are further protected header members, which encode to JSON. Those that RFC 7515, RFC 7516 and RFC 7797
	// register are refused, and so is a header of more than 32 members.
	Header map[string]any

	// Critical names the members of Header that a verifier must understand, or else refuse the message (RFC 7515
	// §4.1.11).
	Critical []string
}

// Signer signs messages with one key or several. It's immutable and safe for concurrent use.
type Signer struct {
	keys                []headedKey
	typ                 string
	detached, unencoded bool
}

// headedKey is a key with the protected header of its signatures, encoded.
type headedKey struct {
	jot.SigningKey
	header string
}

// NewSigner makes a signer whose messages bear a signature of each key, at most 16, none of them twice, be it under two
// names or algorithms. The headers name the keys' algorithms and key IDs.
func NewSigner(o SignerOptions, keys ...jot.SigningKey) (*Signer, error) {
	if len(keys) == 0 || len(keys) > maxSignatures {
		return nil, fmt.Errorf("jws: a signer needs 1 to %d keys", maxSignatures)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Signer{typ: o.Type, detached: o.Detached, unencoded: o.Unencoded}
	for i, key := range keys {
		if key == nil || key.Algorithm() == "" { // which the zero value of a key has not
			return nil, errors.New("jws: a signer needs keys that are not nil")
		}
		if slices.ContainsFunc(keys[:i], func(other jot.SigningKey) bool { return sameKey(key, other) }) {
			return nil, errTwice
		}
		header, err := o.header(key)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, headedKey{key, header})
	}
	return s, nil
}

var (
	errTwice    = errors.New("jws: a key signs a message once")
	errNoSigner = errors.New("jws: the zero value of a signer is none: use NewSigner")
)

func (o *SignerOptions) check() error {
	if (o.Type != "") == o.NoType {
		return errors.New("jws: a signer states exactly one of Type and NoType")
	}
	if err := checkType(o.Type); err != nil {
		return err
	}
	if o.ContentType != "" && !jose.IsMediaType(o.ContentType) {
		return errMediaType
	}
	for name := range o.Header {
		if jose.IsReserved(name) {
			return fmt.Errorf("jws: Header has members beyond the registered ones, and %.32q is registered", name)
		}
	}
	for i, name := range o.Critical {
		if _, ok := o.Header[name]; !ok || slices.Contains(o.Critical[:i], name) {
			return fmt.Errorf("jws: Critical names members of Header, each once: %.32q is none, or there twice", name)
		}
	}
	return nil
}

// header returns the protected header for a key, encoded.
func (o *SignerOptions) header(key jot.SigningKey) (string, error) {
	own := struct {
		hint
		Type        string   `json:"typ,omitempty"`
		ContentType string   `json:"cty,omitempty"`
		Encoded     *bool    `json:"b64,omitempty"`
		Critical    []string `json:"crit,omitempty"`
	}{hint: hint{key.Algorithm(), key.KeyID()}, Type: o.Type, ContentType: o.ContentType, Critical: slices.Clone(o.Critical)}
	if o.Unencoded {
		own.Encoded, own.Critical = new(bool), append(own.Critical, "b64")
	}
	text, err := jose.Marshal(own)
	if err == nil && len(o.Header) > 0 {
		var further []byte
		if further, err = jose.Marshal(o.Header); err == nil {
			text = jose.Join(text, further)
		}
	}
	if err == nil {
		err = jose.ValidFew(text)
	}
	if err != nil {
		return "", fmt.Errorf("jws: encoding the header: %w", err)
	}
	encoded := base64.RawURLEncoding.EncodeToString(text)
	if len(encoded) > maxHeaderSize {
		return "", errors.New("jws: the header is larger than the 16 KiB that a verifier reads")
	}
	return encoded, nil
}

// Sign returns a message in compact serialization (RFC 7515 §7.1), which has room for one signature: a signer with
// several keys refuses it.
func (s *Signer) Sign(ctx context.Context, payload []byte) (string, error) {
	if len(s.keys) == 0 {
		return "", errNoSigner
	}
	if len(s.keys) > 1 {
		return "", errors.New("jws: the compact serialization has one signature: use SignJSON for several keys")
	}
	attached := ""
	form := signedForm(payload, s.unencoded)
	if !s.detached {
		if s.unencoded && !isCompactPayload(payload) {
			return "", errors.New("jws: an unencoded payload in compact serialization is printable ASCII without dots (RFC 7797 §5.2): detach or encode it, or use SignJSON")
		}
		attached = string(form)
	}
	signed, err := s.keys[0].sign(ctx, form)
	if err != nil {
		return "", err
	}
	return signed.Protected + "." + attached + "." + signed.Signature, nil
}

// SignJSON returns a message in flattened serialization with one key, in general serialization with several (RFC 7515
// §7.2).
func (s *Signer) SignJSON(ctx context.Context, payload []byte) ([]byte, error) {
	return s.signJSON(ctx, payload, nil)
}

// Cosign adds the signatures of this signer to a verified message, and returns it in general serialization (RFC 7515
// §7.2.1). It takes a Message and no bytes, so that nobody countersigns what wasn't verified: of the message's other
// signatures none is carried over. The Type of this signer, and whether the payload is encoded, must be the message's.
// A key that signed the message already is refused.
func (s *Signer) Cosign(ctx context.Context, m *Message) ([]byte, error) {
	if m == nil || len(m.signatures) == 0 {
		return nil, errors.New("jws: only a message that a verifier returned can be cosigned")
	}
	if m.unencoded != s.unencoded {
		return nil, errors.New("jws: all signatures of a message agree on Unencoded (RFC 7797 §3)")
	}
	if len(m.signatures)+len(s.keys) > maxSignatures {
		return nil, fmt.Errorf("jws: a message has at most %d signatures", maxSignatures)
	}
	earlier := make([]signedPart, len(m.signatures))
	for i, verified := range m.signatures {
		if !jose.SameType(verified.header.typ, s.typ) {
			return nil, errors.New("jws: all signatures of a message agree on Type, or one verifier can't accept them")
		}
		if slices.ContainsFunc(s.keys, func(k headedKey) bool { return sameKey(k.SigningKey, verified.key) }) {
			return nil, errTwice
		}
		earlier[i] = verified.part()
	}
	return s.signJSON(ctx, m.payload(), earlier)
}

func (s *Signer) signJSON(ctx context.Context, payload []byte, signatures []signedPart) ([]byte, error) {
	if len(s.keys) == 0 {
		return nil, errNoSigner
	}
	var attached *string
	form := signedForm(payload, s.unencoded)
	if !s.detached {
		if s.unencoded && !utf8.Valid(payload) {
			return nil, errors.New("jws: an unencoded payload in JSON is valid UTF-8 (RFC 7797 §5.3): detach or encode it")
		}
		text := string(form)
		attached = &text
	}
	for _, key := range s.keys {
		signed, err := key.sign(ctx, form)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signed)
	}
	return encodeJSON(attached, signatures)
}

func (k headedKey) sign(ctx context.Context, form []byte) (signedPart, error) {
	if err := ctx.Err(); err != nil {
		return signedPart{}, err
	}
	value, err := k.SignInput(ctx, slices.Concat([]byte(k.header), []byte{'.'}, form))
	if err != nil {
		return signedPart{}, err
	}
	return signedPart{Protected: k.header, Signature: base64.RawURLEncoding.EncodeToString(value)}, nil
}
