package jose

import (
	"errors"
	"slices"
)

// errInvalidText is what Marshal answers for a string that no JSON text can hold.
var errInvalidText = errors.New("a string is not valid UTF-8")

// Join returns one object with the members of two, each as Marshal writes it; null counts as an object without members.
func Join(a, b []byte) []byte {
	if len(b) <= len("{}") || b[0] != '{' {
		return a
	}
	if len(a) <= len("{}") || a[0] != '{' {
		return b
	}
	return slices.Concat(a[:len(a)-1], []byte{','}, b[1:])
}

// Marshal encodes v like encoding/json, without the escapes that only a web page needs. A string of invalid UTF-8 is an
// error, where encoding/json replaces what is wrong in it.
func Marshal(v any) ([]byte, error) { return encode(v) }
