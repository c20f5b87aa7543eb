package jwk

import (
	"fmt"
	"unicode/utf8"
)

const maxKeyID = 256 // bytes

// CheckKeyID refuses a "kid" (RFC 7517 §4.5) that isn't UTF-8 or is longer than 256 bytes.
func CheckKeyID(id string) error {
	if len(id) > maxKeyID || !utf8.ValidString(id) {
		return fmt.Errorf("a key ID is valid UTF-8 of at most %d bytes", maxKeyID)
	}
	return nil
}
