//go:build !go1.27

package jose

import (
	"bytes"
	"encoding/json"
)

// encode looks for the escape that this version of encoding/json writes for an invalid byte, and for nothing else: the
// character U+FFFD itself it writes without one. A json.RawMessage within v may hold the escape as well, and is refused
// with it.
func encode(v any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
	if hasReplacement(text) {
		return nil, errInvalidText
	}
	return text, nil
}

func hasReplacement(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if bytes.HasPrefix(text[i:], []byte(`\ufffd`)) {
			return true
		}
		i++ // what is escaped
	}
	return false
}
