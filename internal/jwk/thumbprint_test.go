package jwk_test

import (
	"crypto"
	"encoding/base64"
	"testing"

	"github.com/jot-auth/jot/internal/jwk"
)

const rfc7638Modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

func TestThumbprint(t *testing.T) {
	for _, c := range []struct {
		name, key string
		hash      crypto.Hash
		want      string
	}{
		{"RFC 7638 §3.1", `{"kty":"RSA","n":"` + rfc7638Modulus + `","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`, crypto.SHA256, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{"the same, SHA-384", `{"kty":"RSA","n":"` + rfc7638Modulus + `","e":"AQAB"}`, crypto.SHA384, "R9_OfJjSjaw8Fuum86UzK5ixTdN9bo9BaqPSiseq89DWfmqCdpSgUHus-cxDUNc8"},
		{"the same, SHA-512", `{"kty":"RSA","n":"` + rfc7638Modulus + `","e":"AQAB"}`, crypto.SHA512, "DpvEwocfn3FjeWWQjcJHzWrpKTIymKwgoL1xVgQcud48-qZDSRCr1zfWZQdHAJn_ciqXqPTSARyg-L-NyNGpVA"},
		{"RFC 8037, appendix A.3", `{` + ed25519Members + `}`, crypto.SHA256, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
		{"the same, private", `{` + ed25519Members + `,` + ed25519D + `}`, crypto.SHA256, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
		{
			"RFC 9449 §6.1", `{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}`,
			crypto.SHA256, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
		},
	} {
		public, err := parse(t, c.key).Public()
		if err != nil {
			t.Fatal(c.name, err)
		}
		digest, err := jwk.Thumbprint(public, c.hash)
		if got := base64.RawURLEncoding.EncodeToString(digest); got != c.want || err != nil {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
	}
	public, _ := parse(t, `{`+ed25519Members+`}`).Public()
	for _, hash := range []crypto.Hash{0, crypto.MD5, crypto.SHA1, crypto.SHA224, 99} {
		if digest, err := jwk.Thumbprint(public, hash); err == nil {
			t.Errorf("hash %d: %x", hash, digest)
		}
	}
	for name, key := range privateKeys {
		if digest, err := jwk.Thumbprint(key, crypto.SHA256); err == nil {
			t.Errorf("a private key on %s: %x", name, digest)
		}
	}
	if digest, err := jwk.Thumbprint([]byte("secret"), crypto.SHA256); err == nil {
		t.Errorf("a secret: %x", digest)
	}
}
