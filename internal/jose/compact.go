package jose

import (
	"bytes"
	"strings"
)

// Split cuts a token in the JWS compact serialization (RFC 7515 §3.1) into its three parts, still encoded. ok is false
// unless the token has exactly two dots; a part may be empty.
func Split(token string) (header, payload, signature string, ok bool) {
	first := strings.IndexByte(token, '.')
	if first < 0 {
		return "", "", "", false
	}
	second := strings.IndexByte(token[first+1:], '.')
	if second < 0 {
		return "", "", "", false
	}
	second += first + 1
	if strings.IndexByte(token[second+1:], '.') >= 0 {
		return "", "", "", false
	}
	return token[:first], token[first+1 : second], token[second+1:], true
}

// InJSON reports whether a message is in a JSON serialization and not in the compact one. It goes by the first byte
// that isn't white space, of which any may stand before a JSON text (RFC 8259 §2).
func InJSON(message []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(message, " \t\r\n"), []byte{'{'})
}
