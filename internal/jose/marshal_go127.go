//go:build go1.27

package jose

import (
	jsonv1 "encoding/json"
	"encoding/json/jsontext"
	jsonv2 "encoding/json/v2"
	"errors"
)

func encode(v any) ([]byte, error) {
	text, err := jsonv2.Marshal(v, jsonv1.DefaultOptionsV1(), jsontext.EscapeForHTML(false), jsontext.EscapeForJS(true), jsontext.AllowInvalidUTF8(false))
	if _, syntactic := errors.AsType[*jsontext.SyntacticError](err); syntactic {
		return nil, errInvalidText
	}
	return text, err
}
