package vectors

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/jot-auth/jot/strictjson"
)

// JSON judges texts by the scanner that reads headers, claims and keys.
func JSON(deviations map[string]string) Suite {
	return Suite{"JSON", openJSON, func(*Case) *Text { return nil }, deviations}
}

// large are the texts that the collection leaves out for their size.
var large = map[string]string{
	"n_structure_100000_opening_arrays": strings.Repeat("[", 100_000),
	"n_structure_open_array_object":     strings.Repeat(`[{"":`, 50_000) + "\n",
}

func openJSON(c *Case) ([]byte, error) {
	text, known := large[c.ID]
	if c.Base64 != nil {
		decoded, err := base64.StdEncoding.DecodeString(*c.Base64)
		if err != nil {
			panic(err)
		}
		text, known = string(decoded), true
	}
	if !known {
		panic(fmt.Sprintf("%s has no text", c.ID))
	}
	return nil, strictjson.Valid([]byte(text))
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
