package jot

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jot-auth/jot/internal/jose"
)

// SignerOptions are what a signer writes into the header of its tokens.
type SignerOptions struct {
	// Type is the header's "typ" (RFC 7515 §4.1.9): what kind of token this is, so that no other verifier accepts it
	// (RFC 8725 §3.11). Empty means "JWT"; an access token is "at+jwt" (RFC 9068 §2.1).
	Type string
	// Header are further header members (RFC 7515 §4.3), such as a certificate's "x5t#S256". They encode to JSON, and
	// are at most 32 with the signer's own three. A verifier of this library passes over them; those that say how to
	// read the token, "alg", "kid", "typ", "crit", "b64", "enc" and "zip", are refused in whichever letter case.
	Header map[string]any
}

// Signer signs tokens with one key. It's immutable and safe for concurrent use.
type Signer struct {
	key    SigningKey
	header []byte // encoded, with the dot behind it
}

// NewSigner makes a signer. Its tokens name the key's algorithm and key ID.
func NewSigner(key SigningKey, o SignerOptions) (*Signer, error) {
	if key == nil || !key.usable() {
		return nil, errors.New("jot: a signer needs a key")
	}
	if o.Type == "" {
		o.Type = defaultType
	}
	if !jose.IsMediaType(o.Type) {
		return nil, errors.New("jot: a token's type is a media type, printable ASCII without spaces (RFC 6838 §4.2)")
	}
	header, err := o.header(key)
	if err != nil {
		return nil, err
	}
	encoded := base64.RawURLEncoding.AppendEncode(nil, header)
	if len(encoded) > maxHeaderSize {
		return nil, fmt.Errorf("jot: a header of more than %d bytes would be refused by verifiers", maxHeaderSize)
	}
	return &Signer{key, append(encoded, '.')}, nil
}

// header returns the signer's header, JSON.
func (o SignerOptions) header(key SigningKey) ([]byte, error) {
	for name := range o.Header {
		if slices.ContainsFunc([]string{"alg", "kid", "typ", "crit", "b64", "enc", "zip"}, func(own string) bool { return strings.EqualFold(own, name) }) {
			return nil, fmt.Errorf("jot: header member %q is not for SignerOptions.Header", name)
		}
	}
	own, err := jose.Marshal(struct {
		Algorithm Algorithm `json:"alg"`
		KeyID     string    `json:"kid,omitempty"`
		Type      string    `json:"typ"`
	}{key.Algorithm(), key.KeyID(), o.Type})
	if err != nil {
		return nil, fmt.Errorf("jot: encoding the header: %w", err)
	}
	if len(o.Header) == 0 {
		return own, nil
	}
	further, err := jose.Marshal(o.Header)
	if err != nil {
		return nil, fmt.Errorf("jot: encoding the header: %w", err)
	}
	header := jose.Join(own, further)
	if err := jose.ValidFew(header); err != nil { // names that differ from others in letter case only, or too many
		return nil, fmt.Errorf("jot: this header can't be signed: %w", err)
	}
	return header, nil
}

var errNoSigner = errors.New("jot: the zero value of a signer is none: use NewSigner")

// KeyID returns the key ID that the signer's tokens bear.
func (s *Signer) KeyID() string {
	if s.key == nil {
		return ""
	}
	return s.key.KeyID()
}

// Algorithm returns the algorithm that the signer's tokens bear.
func (s *Signer) Algorithm() Algorithm {
	if s.key == nil {
		return ""
	}
	return s.key.Algorithm()
}

// Sign returns a token in compact form (RFC 7515 §3.1) with these claims: any value that encodes to a JSON object. A
// json.RawMessage is signed byte by byte. What Verify would refuse as malformed is refused here too: doubled members,
// invalid UTF-8, registered claims of the wrong type. Other errors are those of the context and of a key that is held
// elsewhere.
func (s *Signer) Sign(ctx context.Context, claims any) (string, error) {
	if s.key == nil {
		return "", errNoSigner
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	buffer := signBuffers.Get().(*signBuffer)
	defer buffer.giveBack()
	if !buffer.encodeRegistered(claims) {
		payload, err := encodeJSON(claims)
		if err != nil {
			return "", fmt.Errorf("jot: encoding the claims: %w", err)
		}
		if err := checkClaims(payload); err != nil {
			return "", err
		}
		buffer.payload = append(buffer.payload[:0], payload...)
	}
	token := append(buffer.token[:0], s.header...)
	token = base64.RawURLEncoding.AppendEncode(token, buffer.payload)
	signature, err := s.key.appendSignature(ctx, buffer.signature[:0], token)
	if err != nil {
		return "", err
	}
	token = base64.RawURLEncoding.AppendEncode(append(token, '.'), signature)
	buffer.token, buffer.signature = token, signature
	return string(token), nil
}

// signBuffer is the working memory of one call of Sign.
type signBuffer struct{ payload, token, signature []byte }

var signBuffers = sync.Pool{New: func() any { return new(signBuffer) }}

func (b *signBuffer) giveBack() {
	if cap(b.payload)+cap(b.token)+cap(b.signature) <= maxPooled {
		signBuffers.Put(b)
	}
}

// encodeRegistered writes registered claims that have nothing unusual about them, byte for byte as encodeJSON does, and
// such that checkClaims accepts them. It returns false for any others.
func (b *signBuffer) encodeRegistered(claims any) (ok bool) {
	switch c := claims.(type) {
	case Claims:
		b.payload, ok = c.appendPlain(b.payload[:0])
	case *Claims:
		if c != nil {
			b.payload, ok = c.appendPlain(b.payload[:0])
		}
	}
	return ok
}

// checkClaims refuses a payload that no verifier would accept.
func checkClaims(payload []byte) error {
	if !bytes.HasPrefix(bytes.TrimLeft(payload, " \t\r\n"), []byte("{")) {
		return errors.New("jot: claims encode to a JSON object, and this value does not")
	}
	s := scratch{payload: payload[:len(payload):len(payload)]}
	if err := s.readClaims(); err != nil {
		return fmt.Errorf("jot: these claims can't be signed: %w", err)
	}
	return nil
}

// encodeJSON refuses invalid UTF-8, which encoding/json would replace: two subjects could become one.
func encodeJSON(v any) ([]byte, error) {
	if raw, ok := v.(json.RawMessage); ok {
		return raw, nil
	}
	return jose.Marshal(v)
}
