package jwk_test

import (
	"bytes"
	"crypto"
	"testing"

	"github.com/jot-auth/jot/internal/jwk"
)

// No bytes make a parser panic. A key that is read can be written, as JWK and as PEM, and reads as the same key again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{` + p256Members + `,` + p256D + `}`))
	f.Add([]byte(`{` + ed25519Members + `,"use":"sig","key_ops":["verify"],"kid":"1"}`))
	f.Add([]byte(`{` + x25519Members + `,` + x25519D + `}`))
	f.Add([]byte(`{"kty":"oct","k":"AAEC","alg":"HS256"}`))
	f.Add([]byte(`{"kty":"AKP","alg":"ML-DSA-44","pub":"AA","priv":"AA"}`))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMDQCAQAwCwYJYIZIAWUDBAMRBCKAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAAAAAA\n-----END PRIVATE KEY-----\n"))
	for _, name := range []string{"P-256", "Ed25519", "X25519"} {
		whole, _ := jwk.MarshalPrivatePEM(privateKeys[name])
		half, _ := jwk.MarshalPublicPEM(privateKeys[name].(private).Public())
		f.Add(whole)
		f.Add(half)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, isPrivate, err := jwk.ParsePEM(data); err == nil {
			rewrite(t, key, isPrivate)
		}
		key, err := jwk.Parse(data)
		if err != nil {
			return
		}
		if public, err := key.Public(); err == nil {
			rewrite(t, public, false)
		}
		if private, err := key.Private(); err == nil {
			rewrite(t, private, true)
		}
		if secret, err := key.Secret(); err == nil {
			rewriteSecret(t, secret)
		}
	})
}

func rewrite(t *testing.T, key any, isPrivate bool) {
	if isPrivate {
		text, err := jwk.MarshalPrivate(key, jwk.Description{})
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parse(t, string(text)).Private(); err != nil || !again.(same).Equal(key) {
			t.Fatalf("a JWK reads as another key: %v", err)
		}
		if text, err = jwk.MarshalPrivatePEM(key); err != nil {
			t.Fatal(err)
		}
		if again, _, err := jwk.ParsePEM(text); err != nil || !again.(same).Equal(key) {
			t.Fatalf("PEM reads as another key: %v", err)
		}
		return
	}
	text, err := jwk.MarshalPublic(key, jwk.Description{})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := parse(t, string(text)).Public(); err != nil || !again.(samePub).Equal(key) {
		t.Fatalf("a JWK reads as another key: %v", err)
	}
	if text, err = jwk.MarshalPublicPEM(key); err != nil {
		t.Fatal(err)
	}
	if again, _, err := jwk.ParsePEM(text); err != nil || !again.(samePub).Equal(key) {
		t.Fatalf("PEM reads as another key: %v", err)
	}
	if _, err := jwk.Thumbprint(key, crypto.SHA256); err != nil {
		t.Fatal(err)
	}
}

func rewriteSecret(t *testing.T, secret []byte) {
	text, err := jwk.MarshalSecret(secret, jwk.Description{})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := parse(t, string(text)).Secret(); err != nil || !bytes.Equal(again, secret) {
		t.Fatalf("a JWK reads as another secret: %v", err)
	}
}
