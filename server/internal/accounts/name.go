package accounts

import (
	"strings"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	minName = 3
	maxName = 64
)

// canonicalName answers the form in which names are stored and compared: lower case.
// A name is 3 to 64 ASCII letters, digits and . _ - + @, and begins and ends with a
// letter or digit, which suits user names and e-mail addresses and leaves no two names
// that look alike. Anything else is an *issuer.InputError.
func canonicalName(name string) (string, error) {
	if len(name) < minName || len(name) > maxName {
		return "", &issuer.InputError{Field: "username", Reason: "must be 3 to 64 characters long"}
	}
	for i := range len(name) {
		if !isAlphanumeric(name[i]) && strings.IndexByte("._-+@", name[i]) < 0 {
			return "", &issuer.InputError{Field: "username", Reason: "may contain only ASCII letters, digits and . _ - + @"}
		}
	}
	if !isAlphanumeric(name[0]) || !isAlphanumeric(name[len(name)-1]) {
		return "", &issuer.InputError{Field: "username", Reason: "must begin and end with a letter or digit"}
	}
	return strings.ToLower(name), nil
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
