package revocation

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// form is how a snapshot writes the texts of a group. Identifiers that are random bits take the room of those bits.
type form byte

const (
	formText      form = iota // any text, after its length
	formBase32                // what crypto/rand.Text makes: 26 characters of base32, 130 bits
	formBase64URL             // 16 bytes, as 22 characters of base64url
	formUUID                  // 16 bytes, as a UUID in lower case (RFC 9562 §4)
	formNone                  // no text: rules about a whole issuer
	formCount
)

// packedSize is how many bytes a text takes in the forms of fixed size.
var packedSize = [formCount]int{formBase32: 17, formBase64URL: 16, formUUID: 16}

var errIdentifier = errors.New("feed snapshot: an identifier that isn't in its form")

// formOf returns the one form in which a text may be written.
func formOf(text []byte) form {
	switch {
	case len(text) == 0:
		return formNone
	case len(text) == 26 && isBase32(text):
		return formBase32
	case len(text) == 22 && isBase64URL(text):
		return formBase64URL
	case len(text) == 36 && isUUID(text):
		return formUUID
	}
	return formText
}

// appendPacked appends a text that has the form.
func (f form) appendPacked(dst, text []byte) []byte {
	switch f {
	case formBase32:
		return appendFromBase32(dst, text)
	case formBase64URL:
		dst, _ = base64.RawURLEncoding.AppendDecode(dst, text)
	case formUUID:
		var digits [32]byte
		dst, _ = hex.AppendDecode(dst, withoutHyphens(digits[:0], text))
	case formText:
		dst = append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	}
	return dst
}

// appendText appends the text of a form of fixed size.
func (f form) appendText(dst, packed []byte) ([]byte, error) {
	switch f {
	case formBase32:
		return appendBase32(dst, packed)
	case formBase64URL:
		return base64.RawURLEncoding.AppendEncode(dst, packed), nil
	}
	for n, b := range packed {
		if n == 4 || n == 6 || n == 8 || n == 10 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, []byte{b})
	}
	return dst, nil
}

const base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// base32Value is the value of a character; of one that is none, 255.
var base32Value = func() (values [256]byte) {
	for n := range values {
		values[n] = 255
	}
	for value, c := range []byte(base32Alphabet) {
		values[c] = byte(value)
	}
	return values
}()

func isBase32(text []byte) bool {
	var all byte
	for _, c := range text {
		all |= base32Value[c]
	}
	return all < 32
}

// appendFromBase32 packs 24 characters into 15 bytes, and the two that are left into the low bits of two more.
func appendFromBase32(dst, text []byte) []byte {
	var bits uint64
	for n, c := range text {
		bits = bits<<5 | uint64(base32Value[c])
		if n%8 == 7 {
			dst = append(dst, byte(bits>>32), byte(bits>>24), byte(bits>>16), byte(bits>>8), byte(bits))
			bits = 0
		}
	}
	return append(dst, byte(bits>>8), byte(bits))
}

func appendBase32(dst, packed []byte) ([]byte, error) {
	for group := range 3 {
		p := packed[5*group:]
		bits := uint64(p[0])<<32 | uint64(binary.BigEndian.Uint32(p[1:]))
		for shift := 35; shift >= 0; shift -= 5 {
			dst = append(dst, base32Alphabet[bits>>shift&31])
		}
	}
	last := binary.BigEndian.Uint16(packed[15:])
	if last >= 1<<10 {
		return dst, errIdentifier
	}
	return append(dst, base32Alphabet[last>>5], base32Alphabet[last&31]), nil
}

func isBase64URL(text []byte) bool {
	var decoded [16]byte
	n, err := base64.RawURLEncoding.Strict().Decode(decoded[:], text)
	return err == nil && n == len(decoded)
}

func isUUID(text []byte) bool {
	for n, c := range text {
		hyphen := n == 8 || n == 13 || n == 18 || n == 23
		if hyphen != (c == '-') || !hyphen && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func withoutHyphens(dst, text []byte) []byte {
	for _, c := range text {
		if c != '-' {
			dst = append(dst, c)
		}
	}
	return dst
}
