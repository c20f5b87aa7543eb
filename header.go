package jot

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/jot-auth/jot/internal/jose"
)

// maxHeaderSize bounds the encoded header: it's parsed before the signature is checked.
const maxHeaderSize = 8 << 10

// header is what a verifier uses of a JOSE header, with the text that it was read from.
// It never changes once it owns its text, so tokens share it.
type header struct {
	encoded string // the first part of the token
	decoded string // its JSON; empty until the signature held
	scheme  *scheme
	kid     string
	typ     string
}

// readHeader parses the JOSE header strictly (RFC 7515 §4). Members that carry or point to keys ("jwk", "jku", "x5c",
// "x5u") are never looked at: a token doesn't bring its own key (RFC 8725 §3.10).
func readHeader(encoded string, scratch *scratch) (*header, error) {
	if len(encoded) > maxHeaderSize {
		return nil, ErrTooLarge
	}
	decoded, err := jose.AppendDecode(scratch.headerJSON[:0], encoded)
	if err != nil {
		return nil, malformedBy("header", err)
	}
	scratch.headerJSON = decoded
	h := &header{encoded: encoded}
	algorithmNamed := false
	s := &scratch.scanner
	for s.ResetFew(decoded); s.Next(); {
		switch string(s.Name()) {
		case "alg":
			name, err := headerText(s)
			if err != nil {
				return nil, err
			}
			algorithmNamed = true
			h.scheme = schemeOf(name)
		case "kid":
			name, err := headerText(s)
			if err != nil {
				return nil, err
			}
			h.kid = string(name)
		case "typ":
			name, err := headerText(s)
			if err != nil {
				return nil, err
			}
			h.typ = string(name)
		case "crit":
			return nil, malformed("header", `has "crit": this verifier understands no extension (RFC 7515 §4.1.11)`)
		case "b64":
			return nil, malformed("header", `has "b64": a JWT's payload is always encoded (RFC 7797 §7)`)
		}
	}
	if err := s.Err(); err != nil {
		return nil, malformedBy("header", err)
	}
	if !algorithmNamed {
		return nil, malformed("header", `has no "alg" (RFC 7515 §4.1.1)`)
	}
	if h.scheme == nil {
		return nil, ErrAlgorithm
	}
	return h, nil
}

// own returns the header with a text of its own, which neither the raw token nor pooled memory holds.
func (h *header) own(decoded []byte) *header {
	owned := *h
	owned.encoded, owned.decoded = strings.Clone(h.encoded), string(decoded)
	return &owned
}

func headerText(s *jose.Scanner) ([]byte, error) {
	if s.Value().Kind() != jose.String {
		return nil, malformed("header", "has a member of the wrong type: "+string(s.Name()))
	}
	text, _ := s.Value().Text()
	return text, nil
}

const (
	maxRememberedHeaders    = 8
	maxRememberedHeaderSize = 512
)

// headerMemory remembers the headers of tokens whose signature held: an issuer writes the same few over and over. A
// header found here by its every byte needs no decoding. Keys are not remembered, they are looked up each time.
type headerMemory struct{ headers atomic.Pointer[[]*header] }

func (m *headerMemory) find(encoded string) *header {
	headers := m.headers.Load()
	if headers == nil {
		return nil
	}
	for _, h := range *headers {
		if h.encoded == encoded {
			return h
		}
	}
	return nil
}

// remember adds a header, in the place of the oldest where there are too many. Of two at once one may be lost: it comes
// again.
func (m *headerMemory) remember(h *header) {
	if len(h.encoded) > maxRememberedHeaderSize {
		return
	}
	old := m.headers.Load()
	var headers []*header
	if old != nil {
		headers = slices.Clone(*old)
	}
	if len(headers) == maxRememberedHeaders {
		headers = slices.Delete(headers, 0, 1)
	}
	headers = append(headers, h)
	m.headers.CompareAndSwap(old, &headers)
}
