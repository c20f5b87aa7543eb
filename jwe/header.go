package jwe

import (
	"strconv"

	"github.com/jot-auth/jot/internal/jose"
)

// maxHeaderSize bounds the text of each part of a header: it's read before anything is authentic.
const maxHeaderSize = 8 << 10

// header is what this package uses of the members of a JOSE header (RFC 7516 §4), for one recipient. Members that carry
// or point to the recipient's key ("jwk", "jku", "x5c", "x5u") are never looked at.
type header struct {
	wrapping
	encryption   Encryption
	encProtected bool // the sender vouches for "enc"
	compressed   bool

	// Of the protected header only: what anybody could have altered is not shown.
	typ, contentType string
}

// wrapping is what one recipient's part of a message says: who it's for, the members of the header that the algorithm
// works with, and the encrypted key.
type wrapping struct {
	algorithm Algorithm
	keyID     string

	ephemeral      []byte // "epk", a JWK that nobody has read yet (RFC 7518 §4.6.1)
	partyU, partyV []byte // "apu", "apv"
	iv, tag        []byte // RFC 7518 §4.7.1
	salt           []byte // "p2s" (RFC 7518 §4.8.1)
	iterations     int    // "p2c"

	encryptedKey []byte
}

// read adds the members of one part of the header, a JSON object.
func (h *header) read(text []byte, protected bool) error {
	if len(text) > maxHeaderSize {
		return ErrDecryption
	}
	var s jose.Scanner
	for s.Reset(text); s.Next(); {
		if err := h.readMember(string(s.Name()), s.Value(), protected); err != nil {
			return err
		}
	}
	if s.Err() != nil {
		return ErrDecryption
	}
	return nil
}

func (h *header) readMember(name string, value jose.Value, protected bool) error {
	switch name {
	case "crit": // no extension is understood (RFC 7516 §4.1.13)
		return ErrDecryption
	case "zip": // only within the protected header, and DEFLATE is the only one (RFC 7516 §4.1.3)
		text, ok := value.Text()
		h.compressed = true
		return accept(ok && protected && string(text) == "DEF")
	case "enc":
		h.encProtected = protected
		return readText(value, &h.encryption)
	case "alg":
		return readText(value, &h.algorithm)
	case "kid":
		return readText(value, &h.keyID)
	case "typ":
		return readProtectedText(value, protected, &h.typ)
	case "cty":
		return readProtectedText(value, protected, &h.contentType)
	}
	return h.wrapping.readMember(name, value)
}

func (w *wrapping) readMember(name string, value jose.Value) (err error) {
	switch name {
	case "epk":
		w.ephemeral = value.Raw()
	case "apu":
		w.partyU, err = readBytes(value)
	case "apv":
		w.partyV, err = readBytes(value)
	case "iv":
		w.iv, err = readBytes(value)
	case "tag":
		w.tag, err = readBytes(value)
	case "p2s":
		w.salt, err = readBytes(value)
	case "p2c":
		// A number too large for an int is an error too. The bounds are the key's business.
		w.iterations, err = strconv.Atoi(string(value.Raw()))
		return accept(err == nil && w.iterations > 0)
	}
	return err
}

// accept turns a check into the one error.
func accept(ok bool) error {
	if !ok {
		return ErrDecryption
	}
	return nil
}

func readText[Text ~string](value jose.Value, into *Text) error {
	text, ok := value.Text()
	*into = Text(text)
	return accept(ok)
}

func readProtectedText(value jose.Value, protected bool, into *string) error {
	var text string
	err := readText(value, &text)
	if protected {
		*into = text
	}
	return err
}

func readBytes(value jose.Value) ([]byte, error) {
	text, ok := value.Text()
	if !ok {
		return nil, ErrDecryption
	}
	return decode(string(text))
}
