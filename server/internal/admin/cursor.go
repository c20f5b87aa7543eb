package admin

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"net/http"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// cursor is the place after a name, in a list that goes by names, as clients see it: opaque.
func cursor(name string) string { return base64.RawURLEncoding.EncodeToString([]byte(name)) }

// parseCursor reads what cursor wrote; "" is the beginning.
func parseCursor(text string) (string, error) {
	name, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || !isName(name) {
		return "", web.NewProblem(http.StatusBadRequest, "after must be the next of the page before")
	}
	return string(name), nil
}

// isName reports whether an entry of a list can have such a name.
func isName(name []byte) bool {
	const longest = 255 // bytes of a client ID or an audience
	return len(name) <= longest && utf8.Valid(name) && !bytes.ContainsFunc(name, unicode.IsControl)
}

// namedPage reads a page of a list that goes by names: one entry more tells that there is another page.
func namedPage[T any](q *query, read func(after string, limit int) ([]T, error), name func(T) string) (page []T, next string, err error) {
	wanted := q.page()
	if q.err != nil {
		return nil, "", q.err
	}
	after, err := parseCursor(wanted.After)
	if err != nil {
		return nil, "", err
	}
	limit := pageSize(wanted)
	page, err = read(after, limit+1)
	if err != nil || len(page) <= limit {
		return page, "", err
	}
	page = page[:limit]
	return page, cursor(name(page[limit-1])), nil
}

func pageSize(p issuer.Page) int { return cmp.Or(p.Limit, issuer.DefaultPage) }

// optional is a time, or null where there is none.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
