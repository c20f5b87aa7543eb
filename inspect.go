package jot

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/jot-auth/jot/internal/jose"
)

// Unverified is what can be read of a token without any check, for tools that show tokens to people. It's not a Token,
// and nothing makes one of it: what it says may be a lie. It prints its header alone, since it may be a good token; its
// fields have the rest. In an unexported field of a struct that is printed, package fmt sees these.
type Unverified struct {
	Header    Part
	Payload   Part
	Signature Part

	err error
}

// Part is one of the parts of a token in compact form.
type Part struct {
	// Encoded is the part as it stands in the token, and Offset where it begins there, in bytes.
	Encoded string
	Offset  int
	// Decoded is its content: JSON for header and payload. Nil when the part isn't strict base64url.
	Decoded []byte
	// Err says where and how the part breaks the rules; nil when it doesn't.
	Err error
}

// Inspect takes a token apart, as far as it can be read. It checks no signature, and never fails: what is broken is in
// the parts' Err.
func Inspect(raw string) *Unverified {
	u := &Unverified{}
	if len(raw) > defaultMaxSize {
		u.err = ErrTooLarge
		return u
	}
	if strings.Count(raw, ".") != 2 {
		u.err = notCompact(raw)
	}
	offset := 0
	for _, part := range []*Part{&u.Header, &u.Payload, &u.Signature} {
		encoded, rest, _ := strings.Cut(raw[offset:], ".")
		part.Encoded, part.Offset = encoded, offset
		part.Decoded, part.Err = jose.AppendDecode(nil, encoded)
		offset = len(raw) - len(rest)
	}
	inspectJSON(&u.Header)
	inspectJSON(&u.Payload)
	return u
}

func inspectJSON(part *Part) {
	if part.Err != nil {
		part.Decoded = nil
		return
	}
	var scanner jose.Scanner
	for scanner.Reset(part.Decoded); scanner.Next(); {
	}
	part.Err = scanner.Err()
}

// Err returns what is broken first: the number of parts, or one of them. Nil says that the token can be read, not that
// it's valid.
func (u *Unverified) Err() error {
	for _, part := range []struct {
		name string
		err  error
	}{{"header", u.Header.Err}, {"payload", u.Payload.Err}, {"signature", u.Signature.Err}} {
		if part.err != nil {
			return errors.Join(u.err, malformedBy(part.name, part.err))
		}
	}
	return u.err
}

// Format writes the header, whatever the verb: with the signature anybody could use the token, and the claims are about
// people. A header that can't be read may be part of another secret, and isn't shown.
func (u Unverified) Format(f fmt.State, _ rune) {
	io.WriteString(f, "unverified token")
	if u.Header.Err != nil || u.Header.Decoded == nil {
		return
	}
	fmt.Fprintf(f, " with the header %#q", u.Header.Decoded)
}

// LogValue is what log/slog writes: the header.
func (u Unverified) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(u)) }
