package jose

import (
	"bytes"
	"errors"
)

// errInvalidText is what Marshal answers for a string that no JSON text can hold.
var errInvalidText = errors.New("a string is not valid UTF-8")

// Join returns one object with the members of several, each of them a JSON object that is Valid. The result is Valid
// too if no two of their names are equal or fold-equal.
func Join(objects ...[]byte) []byte {
	const space = " \t\r\n"
	joined := []byte{'{'}
	for _, object := range objects {
		object = bytes.Trim(object, space)
		members := bytes.Trim(object[1:len(object)-1], space)
		if len(members) > 0 && len(joined) > len("{") {
			joined = append(joined, ',')
		}
		joined = append(joined, members...)
	}
	return append(joined, '}')
}

// Marshal encodes v like encoding/json, without the escapes that only a web page needs. A string of invalid UTF-8 is an
// error, where encoding/json replaces what is wrong in it.
func Marshal(v any) ([]byte, error) { return encode(v) }
