package vectors

import (
	"crypto"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/json"
	"testing"

	"github.com/jot-auth/jot"
)

// thumbprint is a key with its digests (RFC 7638) and its URI (RFC 9278); which ones, depends on the source.
type thumbprint struct {
	ID     string
	JWK    json.RawMessage
	SHA256 string
	SHA384 string
	SHA512 string
	URI    string
}

func TestThumbprints(t *testing.T) {
	var all []thumbprint
	if err := json.NewDecoder(open(t, "thumbprints.json")).Decode(&all); err != nil || len(all) == 0 {
		t.Fatalf("%d keys, %v", len(all), err)
	}
	for _, test := range all {
		t.Run(test.ID, func(t *testing.T) {
			var members struct {
				Kty string
				Alg string
			}
			if err := json.Unmarshal(test.JWK, &members); err != nil {
				t.Fatal(err)
			}
			if members.Kty == "AKP" && !hasMLDSA() {
				t.Skipf("NOT RUN: %s needs Go 1.27", members.Alg)
			}
			checkThumbprint(t, test, members.Kty)
		})
	}
}

func checkThumbprint(t *testing.T, test thumbprint, kty string) {
	alg := map[string]jot.Algorithm{"EC": jot.ES256, "OKP": jot.EdDSA}[kty] // the others name their own
	key, err := jot.ParsePublicKey(test.JWK, jot.ParseOptions{Algorithm: alg})
	if err != nil {
		t.Fatal(err)
	}
	for hash, want := range map[crypto.Hash]string{crypto.SHA256: test.SHA256, crypto.SHA384: test.SHA384, crypto.SHA512: test.SHA512} {
		if digest, err := key.Thumbprint(hash); want != "" && (err != nil || encode(digest) != want) {
			t.Errorf("%v: %s, %v, want %s", hash, encode(digest), err, want)
		}
	}
	if uri, err := key.ThumbprintURI(); test.URI != "" && (err != nil || uri != test.URI) {
		t.Errorf("%s, %v, want %s", uri, err, test.URI)
	}
}
