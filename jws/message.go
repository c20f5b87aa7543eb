package jws

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/internal/jose"
)

// Message is a verified message: one exists only after a signature of every required signer held. It's opaque and
// immutable, and safe for concurrent use. It says who signed these bytes, not what they mean: it's never a [jot.Token],
// whose claims were checked too.
type Message struct {
	content    func() []byte // in a function, which no printer looks into; nil of the zero value
	size       int
	unencoded  bool
	signatures []Signature
}

func newMessage(payload []byte, unencoded bool, signatures []Signature) *Message {
	return &Message{func() []byte { return payload }, len(payload), unencoded, signatures}
}

func (m *Message) payload() []byte {
	if m.content == nil {
		return nil
	}
	return m.content()
}

// Payload returns a copy of what was signed. Where it's JSON, package strictjson reads it as everybody else does.
func (m *Message) Payload() []byte { return slices.Clone(m.payload()) }

// Signatures returns the signatures that held, one for each required signer, in the order of NewVerifier. Other
// signatures that the message may have had are left out.
func (m *Message) Signatures() []Signature { return slices.Clone(m.signatures) }

// Format writes who signed, whatever the verb: logs aren't the place for the payload.
func (m Message) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "message of %d bytes signed by %v", m.size, m.signatures)
}

// LogValue is what log/slog writes: who signed.
func (m Message) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(m)) }

// Signature is a signature that held, with its protected header. Nothing of an unprotected header is to be found here.
type Signature struct {
	*signature // nil of the zero value
	key        jot.VerificationKey
}

// KeyID returns the key ID of the key that verified the signature, whatever its header says.
func (s Signature) KeyID() string {
	if s.key == nil {
		return ""
	}
	return s.key.KeyID()
}

// Algorithm returns the algorithm of the key that verified the signature.
func (s Signature) Algorithm() jot.Algorithm {
	if s.key == nil {
		return ""
	}
	return s.key.Algorithm()
}

// protectedHeader is that of the signature, and an empty one for the zero value.
func (s Signature) protectedHeader() *header {
	if s.signature == nil {
		return new(header)
	}
	return s.header
}

// Type returns the protected "typ" (RFC 7515 §4.1.9); empty when absent.
func (s Signature) Type() string { return s.protectedHeader().typ }

// ContentType returns the protected "cty" (RFC 7515 §4.1.10); empty when absent.
func (s Signature) ContentType() string { return s.protectedHeader().contentType }

// Header returns a copy of the protected header, JSON; nil without one.
func (s Signature) Header() []byte { return slices.Clone(s.protectedHeader().decoded) }

// DecodeHeader stores the protected header in the value that v points to, as encoding/json does, except that names are
// case-sensitive. Its errors are those of encoding/json.
func (s Signature) DecodeHeader(v any) error {
	if decoded := s.protectedHeader().decoded; decoded != nil {
		return jose.Unmarshal(decoded, v)
	}
	return jose.Unmarshal([]byte("{}"), v)
}

// Format writes the algorithm and the key ID, whatever the verb.
func (s Signature) Format(f fmt.State, _ rune) {
	if s.key == nil { // the zero value is none
		fmt.Fprint(f, "no signature")
		return
	}
	fmt.Fprintf(f, "%s key %q", s.Algorithm(), s.KeyID())
}

// LogValue is what log/slog writes: the algorithm and the key ID.
func (s Signature) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }
