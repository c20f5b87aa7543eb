package jot

import (
	"bytes"
	"strconv"

	"github.com/jot-auth/jot/internal/jose"
)

// A server that signs a token for each request would spend more time on encoding/json than on the MAC. So registered
// claims are written by hand, as far as there is no choice in how: plain ASCII without escapes, and dates in range. The
// rest goes through encoding/json.

// appendPlain appends the claims as encoding/json writes them, and returns false where they are not plain.
func (c *Claims) appendPlain(dst []byte) (_ []byte, plain bool) {
	plain = isPlain(c.Issuer) && isPlain(c.Subject) && isPlain(c.ID) && inRange(c.Expires) && inRange(c.NotBefore) && inRange(c.IssuedAt)
	for _, recipient := range c.Audience {
		plain = plain && isPlain(recipient)
	}
	if !plain {
		return dst, false
	}
	dst = append(dst, '{')
	dst = appendText(dst, `"iss":`, c.Issuer)
	dst = appendText(dst, `"sub":`, c.Subject)
	dst = appendAudience(dst, c.Audience)
	dst = appendDate(dst, `"exp":`, c.Expires)
	dst = appendDate(dst, `"nbf":`, c.NotBefore)
	dst = appendDate(dst, `"iat":`, c.IssuedAt)
	dst = appendText(dst, `"jti":`, c.ID)
	return append(bytes.TrimSuffix(dst, []byte{','}), '}'), true
}

// isPlain reports whether a text stands in JSON as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func inRange(d NumericDate) bool { return d >= 0 && d < jose.EndOfSeconds }

// appendText appends a member and a comma, unless the text is empty.
func appendText(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	return append(appendQuoted(append(dst, name...), text), ',')
}

func appendDate(dst []byte, name string, d NumericDate) []byte {
	if d == 0 {
		return dst
	}
	return append(strconv.AppendInt(append(dst, name...), int64(d), 10), ',')
}

func appendAudience(dst []byte, audience Audience) []byte {
	switch len(audience) {
	case 0:
		return dst
	case 1:
		return append(appendQuoted(append(dst, `"aud":`...), audience[0]), ',')
	}
	dst = append(dst, `"aud":[`...)
	for i, recipient := range audience {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, recipient)
	}
	return append(dst, "],"...)
}

func appendQuoted(dst []byte, plain string) []byte {
	return append(append(append(dst, '"'), plain...), '"')
}
