//go:build !go1.27

package jwk_test

import (
	"strings"
	"testing"

	"github.com/jot-auth/jot/internal/jwk"
)

func TestMLDSANeedsGo127(t *testing.T) {
	key := parse(t, `{"kty":"AKP","alg":"ML-DSA-44","pub":"AA","priv":"AA"}`)
	_, _, private := jwk.ParsePEM([]byte("-----BEGIN PRIVATE KEY-----\nMDQCAQAwCwYJYIZIAWUDBAMRBCKAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAAAAAA\n-----END PRIVATE KEY-----\n"))
	_, _, public := jwk.ParsePEM(block("PUBLIC KEY", []byte{0x30, 0x10, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11, 0x03, 0x01, 0x00}))
	_, publicJWK := key.Public()
	_, privateJWK := key.Private()
	for name, err := range map[string]error{"a private key in PEM": private, "a public key in PEM": public, "the public half of a JWK": publicJWK, "a private JWK": privateJWK} {
		if err == nil || !strings.Contains(err.Error(), "Go 1.27") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
