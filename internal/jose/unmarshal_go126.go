//go:build !go1.27

package jose

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// hasNewerMethod reports whether a type has a method that a later encoding/json decodes it by.
func hasNewerMethod(reflect.Type) bool { return false }

// decode decodes validated text. This version of encoding/json takes a member whose name no field has for the field
// whose name differs in letter case only. So such names are made unrecognizable, in a copy of the text and without
// moving anything, for the offsets in encoding/json's errors. No field's name has a DEL.
func decode(valid []byte, v any) error {
	exact, copied := valid, false
	eachStray(valid, v, func(name span) {
		if !copied {
			exact, copied = bytes.Clone(valid), true
		}
		for i := name.start; i < name.end; i++ {
			exact[i] = 0x7f
		}
	})
	return json.Unmarshal(exact, v)
}
