package feed

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
)

// minCredential is how many characters a credential has at least: no fewer can hold 192 random bits.
const minCredential = 32

// tokenAlphabet is that of bearer tokens (RFC 6750 §2.1).
const tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

// credentials are the hashes of the credentials that open the feed. Credentials are random, so that a
// plain hash keeps them.
type credentials [][sha256.Size]byte

func newCredentials(texts []string) (credentials, error) {
	known := make(credentials, 0, len(texts))
	for _, text := range texts {
		if len(text) < minCredential {
			return nil, errors.New("feed: a credential has fewer than 32 characters; use 256 random bits")
		}
		if strings.Trim(text, tokenAlphabet) != "" {
			return nil, errors.New("feed: a credential has characters that no bearer token has; use base64url")
		}
		known = append(known, sha256.Sum256([]byte(text)))
	}
	return known, nil
}

// include reports whether the text is one of the credentials, in a time that tells nothing.
func (c credentials) include(text string) bool {
	hash, found := sha256.Sum256([]byte(text)), 0
	for n := range c {
		found |= subtle.ConstantTimeCompare(hash[:], c[n][:])
	}
	return found == 1
}

// protect lets requests through that bear a credential of the feed.
func (s *Server) protect(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bearer, err := jothttp.Credential(r, "", 0)
		switch {
		case err != nil:
			web.Fail(w, r, err)
		case bearer == "":
			web.WriteProblem(w, web.NewProblem(http.StatusUnauthorized, "the feed needs one of its credentials"))
		case !s.credentials.include(bearer):
			web.WriteProblem(w, web.InvalidToken("this is none of the feed's credentials"))
		case r.Method == http.MethodHead: // which ServeMux sends to GET's handlers
			w.Header().Set("Allow", http.MethodGet)
			web.WriteProblem(w, web.NewProblem(http.StatusMethodNotAllowed, ""))
		default:
			next(w, r)
		}
	})
}
