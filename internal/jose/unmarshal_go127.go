//go:build go1.27

package jose

import (
	jsonv1 "encoding/json"
	jsonv2 "encoding/json/v2"
	"reflect"
)

// hasNewerMethod reports whether a type has a method that a later encoding/json decodes it by.
func hasNewerMethod(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[jsonv2.UnmarshalerFrom]())
}

// decode decodes validated text.
func decode(valid []byte, v any) error {
	return jsonv2.Unmarshal(valid, v, jsonv1.DefaultOptionsV1(), jsonv2.MatchCaseInsensitiveNames(false))
}
