package libraries

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/jot-auth/jot/jwe"
	"github.com/jot-auth/jot/jws"
)

// alterations are what is done to each message. A seed that is always the same makes them what they were the last time,
// but for the keys.
const alterations = 60

const (
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	foreign  = "=+/. \t\r\n\x00\xff%\"{},:"
)

// alter changes a message at one place, or at the end of one of its parts, where base64 has bits to spare.
func alter(r *rand.Rand, message string) string {
	at := r.IntN(len(message))
	before, after := message[:at], message[at+1:]
	own, other := anyOf(r, alphabet), anyOf(r, foreign)
	switch r.IntN(7) {
	case 0:
		return before + own + after
	case 1:
		return before + after
	case 2:
		return before + own + message[at:]
	case 3:
		return before + other + message[at:]
	case 4:
		return before
	case 5:
		return message + other
	default:
		if end := at + strings.IndexAny(message[at:]+".", `."`); end > 0 {
			return message[:end-1] + own + message[end:]
		}
		return message
	}
}

func anyOf(r *rand.Rand, characters string) string {
	at := r.IntN(len(characters))
	return characters[at : at+1]
}

// readers read one message each, or refuse it.
type readers struct {
	ours, theirs func(message string) (content string, err error)
}

// compare alters the message. Where it's compact, one alone is what was sent, and all others are refused. Of one in
// JSON, what jot reads, the other library reads too, and the same.
func (p readers) compare(t *testing.T, message, content string) {
	t.Helper()
	r := rand.New(rand.NewPCG(7515, 7516))
	for range alterations {
		altered := alter(r, message)
		read, err := p.ours(altered)
		if altered == message || err != nil {
			continue
		}
		if message[0] != '{' {
			t.Errorf("jot reads an altered message: %q instead of %q", altered, message)
		}
		if theirs, err := p.theirs(altered); read != content || theirs != content || err != nil {
			t.Errorf("of %q jot reads %q, and the other library %q, %v", altered, read, theirs, err)
		}
	}
}

func TestAlteredMessages(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(string(alg), func(t *testing.T) {
			p := messagePair(t, alg)
			signer, verifier := newJWSSigner(t, jws.SignerOptions{}, p), newJWSVerifier(t, p)
			both := readers{
				ours: func(message string) (string, error) {
					m, err := verifier.Verify(t.Context(), []byte(message))
					if err != nil {
						return "", err
					}
					return string(m.Payload()), nil
				},
				theirs: func(message string) (string, error) {
					parse := jose.ParseSignedCompact
					if isJSON(message) {
						parse = jose.ParseSignedJSON
					}
					parsed, err := parse(message, p.joseAlgorithm())
					if err != nil {
						return "", err
					}
					content, err := parsed.Verify(public(p.jose(t)))
					return string(content), err
				},
			}
			compact, err := signer.Sign(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			flattened, err := signer.SignJSON(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			both.compare(t, compact, string(payload))
			both.compare(t, string(flattened), string(payload))
		})
	}
}

func TestAlteredEncryption(t *testing.T) {
	for i, alg := range keyManagements {
		enc := contentEncryptions[i%len(contentEncryptions)]
		t.Run(fmt.Sprintf("%s %s", alg, enc), func(t *testing.T) {
			r := newRecipient(t, alg, enc)
			encrypter, decrypter := r.ours(t, enc, jwe.EncrypterOptions{})
			both := readers{
				ours: func(message string) (string, error) {
					m, err := decrypter.Decrypt(t.Context(), []byte(message))
					if err != nil {
						return "", err
					}
					return string(m.Plaintext()), nil
				},
				theirs: func(message string) (string, error) {
					parse := jose.ParseEncryptedCompact
					if isJSON(message) {
						parse = jose.ParseEncryptedJSON
					}
					parsed, err := parse(message, []jose.KeyAlgorithm{r.joseEncrypt.Algorithm}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
					if err != nil {
						return "", err
					}
					content, err := parsed.Decrypt(r.joseDecrypt)
					return string(content), err
				},
			}
			compact, err := encrypter.Encrypt(plaintext)
			if err != nil {
				t.Fatal(err)
			}
			flattened, err := encrypter.EncryptJSON(plaintext, additional)
			if err != nil {
				t.Fatal(err)
			}
			both.compare(t, compact, string(plaintext))
			both.compare(t, string(flattened), string(plaintext))
		})
	}
}

// isJSON tells the forms apart, which go-jose has a function for each.
func isJSON(message string) bool { return strings.HasPrefix(strings.TrimSpace(message), "{") }
