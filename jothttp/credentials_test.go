package jothttp

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// authorization is the grammar of RFC 6750 §2.1.
var authorization = regexp.MustCompile(`^(?i:bearer) +([A-Za-z0-9\-._~+/]+=*)$`)

func FuzzBearer(f *testing.F) {
	for _, seed := range []string{
		"", "Bearer", "Bearer ", "Bearer a.b.c", "bearer  a==", "Bearer a=b", "Bearer\ta", "a.b.c", "Basic YTpi", "Bearer a, Bearer b",
		"Bearer " + strings.Repeat("a", 200), "Bearer é", " Bearer a", "Bearer a\n",
	} {
		f.Add(seed)
	}
	const maxSize = 100
	bearer := func(fields []string, maxSize int) (string, error) {
		found, err := readAuthorization(fields, maxSize, []string{schemeBearer})
		return found.token, err
	}
	f.Fuzz(func(t *testing.T, field string) {
		token, err := bearer([]string{field}, maxSize)
		match := authorization.FindStringSubmatch(field)
		switch {
		case match != nil && len(match[1]) <= maxSize:
			if token != match[1] || err != nil {
				t.Errorf("%q: %q, %v, want the token %q", field, token, err, match[1])
			}
		case token != "":
			t.Errorf("%q: took %q for a token", field, token)
		case err != nil && !errors.Is(err, ErrBadRequest) && !errors.Is(err, jot.ErrTooLarge):
			t.Errorf("%q: %v", field, err)
		case err == nil && strings.HasPrefix(strings.ToLower(field), "bearer "):
			t.Errorf("%q: passed for another scheme", field)
		}
		if _, err := bearer([]string{field, field}, maxSize); !errors.Is(err, ErrBadRequest) {
			t.Errorf("%q twice: %v, want a malformed request", field, err)
		}
	})
}
