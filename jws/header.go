package jws

import (
	"slices"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/internal/jose"
)

// maxHeaderSize bounds a header, encoded if it's protected: it's read before its signature is checked. A chain of
// certificates that nobody here looks at has to fit.
const maxHeaderSize = 16 << 10

// header is what is read of the header of one signature. Members that carry or point to keys ("jwk", "jku", "x5c",
// "x5u") are never looked at: a message doesn't bring its own key (RFC 8725 §3.10).
type header struct {
	decoded     []byte // the protected header's JSON; nil without one
	typ         string // this and contentType are protected, or empty
	contentType string
	critical    []string
	unencoded   bool
	protected   hint // what the protected header says of the key
	unprotected hint // what the unprotected header says of it
}

// hint is what a header says of the key that it was signed with.
type hint struct {
	Algorithm jot.Algorithm `json:"alg,omitempty"`
	KeyID     string        `json:"kid,omitempty"`
}

// algorithm returns "alg", wherever it stands: a name stands in one header only.
func (h *header) algorithm() jot.Algorithm { return h.protected.Algorithm + h.unprotected.Algorithm }

// keyID returns "kid", wherever it stands. An unprotected one can choose only among keys that the source would use
// anyway.
func (h *header) keyID() string { return h.protected.KeyID + h.unprotected.KeyID }

// readHeader reads the header of one signature: the protected one, encoded, and the unprotected one, JSON. Either is
// empty if the message has none.
func readHeader(protected string, unprotected []byte) (*header, error) {
	if len(protected) > maxHeaderSize || len(unprotected) > maxHeaderSize {
		return nil, refuse(jot.ErrTooLarge, "header is larger than 16 KiB")
	}
	h := &header{}
	if protected != "" {
		decoded, err := jose.AppendDecode(nil, protected)
		if err != nil {
			return nil, malformedBy("protected header", err)
		}
		if err := h.readProtected(decoded); err != nil {
			return nil, err
		}
	}
	if len(unprotected) > 0 {
		if err := h.readUnprotected(unprotected); err != nil {
			return nil, err
		}
	}
	if h.algorithm() == "" {
		return nil, malformed("header", `has no "alg" (RFC 7515 §4.1.1)`)
	}
	return h, nil
}

func (h *header) readProtected(decoded []byte) error {
	h.decoded = decoded
	encodingStated := false
	var s jose.Scanner
	for s.ResetFew(decoded); s.Next(); {
		var err error
		switch string(s.Name()) {
		case "alg":
			err = readText(&s, &h.protected.Algorithm)
		case "kid":
			err = readText(&s, &h.protected.KeyID)
		case "typ":
			err = readText(&s, &h.typ)
		case "cty":
			err = readText(&s, &h.contentType)
		case "crit":
			err = h.readCritical(s.Value())
		case "b64":
			encodingStated = true
			err = h.readEncoding(s.Value())
		}
		if err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return malformedBy("protected header", err)
	}
	if encodingStated && !slices.Contains(h.critical, "b64") {
		return malformed("protected header", `has "b64" without naming it in "crit" (RFC 7797 §6)`)
	}
	if h.unencoded && jose.IsJWT(h.typ) {
		return malformed("protected header", `has "b64" false and the type of a JWT (RFC 7797 §7)`)
	}
	return h.checkCritical()
}

// readUnprotected looks for hints at the key, and for what has no business there.
func (h *header) readUnprotected(text []byte) error {
	var s jose.Scanner
	for s.ResetFew(text); s.Next(); {
		var err error
		switch string(s.Name()) {
		case "alg":
			err = readText(&s, &h.unprotected.Algorithm)
		case "kid":
			err = readText(&s, &h.unprotected.KeyID)
		case "crit", "b64":
			err = malformed("unprotected header", `has "crit" or "b64", which must be protected (RFC 7515 §4.1.11, RFC 7797 §3)`)
		}
		if err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return malformedBy("unprotected header", err)
	}
	if h.decoded != nil && jose.Valid(jose.Join(h.decoded, text)) != nil {
		return malformed("header", "has a name that is both protected and unprotected (RFC 7515 §7.2.1)")
	}
	return nil
}

func readText[T ~string](s *jose.Scanner, to *T) error {
	text, ok := s.Value().Text()
	if !ok {
		return malformed("header", "has a member of the wrong type: "+string(s.Name()))
	}
	*to = T(text)
	return nil
}

func (h *header) readEncoding(v jose.Value) error {
	if v.Kind() != jose.Bool {
		return malformed("protected header", `has a "b64" that is not a boolean (RFC 7797 §3)`)
	}
	h.unencoded = !v.Bool()
	return nil
}

func (h *header) readCritical(v jose.Value) error {
	wrong := malformed("protected header", `has a "crit" that is not a list of names (RFC 7515 §4.1.11)`)
	for e := v.Elements(); e.Next(); {
		value := e.Value()
		name, ok := value.Text()
		if !ok {
			return wrong
		}
		h.critical = append(h.critical, string(name))
	}
	if len(h.critical) == 0 {
		return wrong
	}
	return nil
}

// checkCritical refuses a "crit" that names what is no extension, what is not there, or one extension twice (RFC 7515
// §4.1.11).
func (h *header) checkCritical() error {
	absent := make(map[string]bool, len(h.critical))
	for _, name := range h.critical {
		if absent[name] || jose.IsRegistered(name) {
			return malformed("protected header", `has a "crit" that names a registered parameter, or one twice (RFC 7515 §4.1.11)`)
		}
		absent[name] = true
	}
	if len(absent) == 0 {
		return nil
	}
	var s jose.Scanner
	for s.ResetFew(h.decoded); s.Next(); {
		delete(absent, string(s.Name()))
	}
	if len(absent) > 0 {
		return malformed("protected header", `has a "crit" that names a parameter which isn't protected (RFC 7515 §4.1.11)`)
	}
	return nil
}
