package jose

import "errors"

// errInvalidText is what Marshal answers for a string that no JSON text can hold.
var errInvalidText = errors.New("a string is not valid UTF-8")

// Marshal encodes v like encoding/json, without the escapes that only a web page needs. A string of invalid UTF-8 is an
// error, where encoding/json replaces what is wrong in it.
func Marshal(v any) ([]byte, error) { return encode(v) }
