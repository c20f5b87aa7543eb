package jws

import (
	"fmt"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/internal/jose"
)

// maxSignatures bounds the signatures of one message, and so what a hostile one costs.
const maxSignatures = 16

// envelope is a message taken apart, before anything in it is believed.
type envelope struct {
	payload    string // as it stands in the message
	attached   bool   // whether the message has a place for it, be it empty
	detached   bool   // whether that place may be meant for a detached payload
	unencoded  bool   // whether the payload is signed as it is (RFC 7797)
	signatures []*signature
}

// signature is one signature of a message.
type signature struct {
	protected string // the protected header, encoded
	header    *header
	value     []byte
}

// open takes a message apart, in whichever serialization it's written.
func open(message []byte) (*envelope, error) {
	if jose.InJSON(message) {
		return openJSON(message)
	}
	return openCompact(string(message))
}

// openCompact reads the compact serialization (RFC 7515 §7.1). A payload that is not encoded has no dots (RFC 7797
// §5.2).
func openCompact(message string) (*envelope, error) {
	protected, payload, value, ok := jose.Split(message)
	if !ok {
		return nil, malformed("compact serialization", "does not have three parts between two dots (RFC 7515 §7.1)")
	}
	s, err := readSignature(protected, nil, value)
	if err != nil {
		return nil, err
	}
	if s.header.unencoded && !isCompactPayload(payload) {
		return nil, malformed("payload", "has characters that the compact serialization can't hold (RFC 7797 §5.2)")
	}
	return newEnvelope(&envelope{payload: payload, attached: true, detached: payload == ""}, s)
}

// isCompactPayload reports whether a payload may stand in the compact serialization as it is (RFC 7797 §5.2).
func isCompactPayload[Text string | []byte](payload Text) bool {
	for i := range len(payload) {
		if c := payload[i]; c < ' ' || c > '~' || c == '.' {
			return false
		}
	}
	return true
}

// members are those of the two JSON serializations, and of an element of "signatures". What is absent is of kind
// Invalid.
type members struct{ payload, protected, header, signature, signatures jose.Value }

// readMembers ignores other members, as RFC 7515 §7.2.1 demands.
func readMembers(text []byte) (m members, err error) {
	var s jose.Scanner
	for s.ResetFew(text); s.Next(); {
		switch string(s.Name()) {
		case "payload":
			m.payload = s.Value()
		case "protected":
			m.protected = s.Value()
		case "header":
			m.header = s.Value()
		case "signature":
			m.signature = s.Value()
		case "signatures":
			m.signatures = s.Value()
		}
	}
	return m, s.Err()
}

func present(v jose.Value) bool { return v.Kind() != jose.Invalid }

// openJSON reads the general and the flattened JSON serialization (RFC 7515 §7.2).
func openJSON(message []byte) (*envelope, error) {
	m, err := readMembers(message)
	if err != nil {
		return nil, malformedBy("JSON serialization", err)
	}
	e := &envelope{attached: present(m.payload), detached: !present(m.payload)}
	if e.attached {
		payload, ok := m.payload.Text()
		if !ok {
			return nil, malformed("payload", "is not a string (RFC 7515 §7.2.1)")
		}
		e.payload = string(payload)
	}
	var signatures []*signature
	if present(m.signatures) {
		signatures, err = m.readGeneral()
	} else {
		signatures, err = m.readFlattened()
	}
	if err != nil {
		return nil, err
	}
	return newEnvelope(e, signatures...)
}

func (m *members) readGeneral() ([]*signature, error) {
	if present(m.signature) || present(m.protected) || present(m.header) {
		return nil, malformed("JSON serialization", `has "signatures" beside members of the flattened form (RFC 7515 §7.2.2)`)
	}
	if m.signatures.Kind() != jose.Array {
		return nil, malformed("signatures", "are not an array (RFC 7515 §7.2.1)")
	}
	var signatures []*signature
	for elements := m.signatures.Elements(); elements.Next(); {
		if len(signatures) == maxSignatures {
			return nil, refuse(jot.ErrTooLarge, fmt.Sprintf("message has more than %d signatures", maxSignatures))
		}
		value := elements.Value()
		element, err := readMembers(value.Raw())
		if err != nil {
			return nil, malformedBy("an element of signatures", err)
		}
		read, err := element.readFlattened()
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, read...)
	}
	return signatures, nil
}

// readFlattened reads the one signature that stands in this object.
func (m *members) readFlattened() ([]*signature, error) {
	value, ok := m.signature.Text()
	if !ok {
		return nil, malformed("signature", "is missing, or not a string (RFC 7515 §7.2)")
	}
	protected, ok := m.protected.Text()
	if present(m.protected) && (!ok || len(protected) == 0) {
		return nil, malformed("protected header", "is not a string, or empty (RFC 7515 §7.2.1)")
	}
	if present(m.header) && m.header.Kind() != jose.Object {
		return nil, malformed("unprotected header", "is not an object (RFC 7515 §7.2.1)")
	}
	s, err := readSignature(string(protected), m.header.Raw(), string(value))
	if err != nil {
		return nil, err
	}
	return []*signature{s}, nil
}

func readSignature(protected string, unprotected []byte, encoded string) (*signature, error) {
	header, err := readHeader(protected, unprotected)
	if err != nil {
		return nil, err
	}
	value, err := jose.AppendDecode(nil, encoded)
	if err != nil {
		return nil, malformedBy("signature", err)
	}
	return &signature{protected, header, value}, nil
}

// newEnvelope makes sure that the signatures agree on what the payload is (RFC 7797 §3).
func newEnvelope(e *envelope, signatures ...*signature) (*envelope, error) {
	if len(signatures) == 0 {
		return nil, malformed("signatures", "are an empty array (RFC 7515 §7.2.1)")
	}
	e.signatures, e.unencoded = signatures, signatures[0].header.unencoded
	for _, s := range signatures {
		if s.header.unencoded != e.unencoded {
			return nil, malformed("signatures", `differ in "b64" (RFC 7797 §3)`)
		}
	}
	return e, nil
}
