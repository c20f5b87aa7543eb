package jws

import (
	"encoding/base64"
	"slices"

	"github.com/jot-auth/jot/internal/jose"
)

// content is the payload of a message and the form in which it's signed.
type content struct {
	payload []byte
	inputs  []byte // room for a protected header and a dot, then the payload as it's signed
	room    int
}

// ownContent is the content of a message that brings its payload along.
func (e *envelope) ownContent() (*content, error) {
	if !e.attached {
		return nil, malformed("JSON serialization", "has no payload: if it's detached, use VerifyDetached (RFC 7515 appendix F)")
	}
	c := e.newContent(len(e.payload))
	c.inputs = append(c.inputs, e.payload...)
	if e.unencoded {
		c.payload = c.inputs[c.room:]
		return c, nil
	}
	var err error
	if c.payload, err = jose.AppendDecode(nil, e.payload); err != nil {
		return nil, malformedBy("payload", err)
	}
	return c, nil
}

// detachedContent is the content of a message whose payload came by itself. It's copied, so that nobody alters what was
// verified.
func (e *envelope) detachedContent(payload []byte) (*content, error) {
	if !e.detached {
		return nil, malformed("message", "has a payload of its own, and another one was given (RFC 7515 appendix F): use Verify")
	}
	if e.unencoded {
		c := e.newContent(len(payload))
		c.inputs = append(c.inputs, payload...)
		c.payload = c.inputs[c.room:]
		return c, nil
	}
	c := e.newContent(base64.RawURLEncoding.EncodedLen(len(payload)))
	c.payload = slices.Clone(payload)
	c.inputs = base64.RawURLEncoding.AppendEncode(c.inputs, c.payload)
	return c, nil
}

// newContent makes room for the longest header of the message and for size bytes.
func (e *envelope) newContent(size int) *content {
	room := 0
	for _, s := range e.signatures {
		room = max(room, len(s.protected)+len("."))
	}
	return &content{inputs: make([]byte, room, room+size), room: room}
}

// input returns the JWS signing input for a signature (RFC 7515 §5.1), until the next call.
func (c *content) input(s *signature) []byte {
	start := c.room - len(s.protected) - len(".")
	copy(c.inputs[start:], s.protected)
	c.inputs[c.room-1] = '.'
	return c.inputs[start:]
}

// signedForm returns the payload as it stands in a signing input.
func signedForm(payload []byte, unencoded bool) []byte {
	if unencoded {
		return payload
	}
	return base64.RawURLEncoding.AppendEncode(nil, payload)
}
