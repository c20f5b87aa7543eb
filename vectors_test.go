package jot_test

import (
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// RFC 7515, appendix A: one claims set, signed with each family of algorithms.
const rfc7515Payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

var rfc7515 = []struct {
	name, key string
	alg       jot.Algorithm
	token     string
}{
	{
		name: "A.1 HS256", alg: jot.HS256,
		key:   `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`,
		token: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + rfc7515Payload + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
	},
	{
		name: "A.2 RS256", alg: jot.RS256,
		key:   `{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`,
		token: "eyJhbGciOiJSUzI1NiJ9." + rfc7515Payload + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
	},
	{
		name: "A.3 ES256", alg: jot.ES256,
		key:   `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		token: "eyJhbGciOiJFUzI1NiJ9." + rfc7515Payload + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
	},
}

func TestRFC7515Examples(t *testing.T) {
	for _, example := range rfc7515 {
		t.Run(example.name, func(t *testing.T) {
			verifier := verifierFor(t, example.key, example.alg)
			token, err := verifier.Verify(t.Context(), example.token)
			if err != nil {
				t.Fatal(err)
			}
			if token.Issuer() != "joe" || !token.Expires().Equal(time.Unix(1300819380, 0)) {
				t.Errorf("issuer %q, expires %v", token.Issuer(), token.Expires())
			}
			if want := "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"; string(token.Payload()) != want {
				t.Errorf("payload %q", token.Payload())
			}
		})
	}
}

func verifierFor(t *testing.T, key string, alg jot.Algorithm) *jot.Verifier {
	t.Helper()
	var source jot.KeySource
	if alg.Symmetric() {
		secret, err := jot.ParseSecretKey([]byte(key), jot.ParseOptions{Algorithm: alg})
		if err != nil {
			t.Fatal(err)
		}
		source = jot.NewSecretKeySet(secret)
	} else {
		public, err := jot.ParsePublicKey([]byte(key), jot.ParseOptions{Algorithm: alg})
		if err != nil {
			t.Fatal(err)
		}
		source = jot.NewKeySet(public)
	}
	verifier, err := jot.NewVerifier(source, jot.VerifierOptions{
		Issuer: "joe", AnyAudience: true, Now: func() time.Time { return time.Unix(1300819379, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// RFC 8037, appendix A: an Ed25519 key, its thumbprint (A.3), and a signature over a text that is no JWT (A.4). Ed25519
// is deterministic, so the signature over the same text must come out again.
func TestRFC8037Key(t *testing.T) {
	private, err := jot.ParsePrivateKey([]byte(`{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`), jot.ParseOptions{Algorithm: jot.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	if want := "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"; private.KeyID() != want {
		t.Errorf("thumbprint %s, want %s", private.KeyID(), want)
	}
}

// RFC 7638 §3.1: the thumbprint of an RSA key.
func TestRFC7638Thumbprint(t *testing.T) {
	key, err := jot.ParsePublicKey([]byte(`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256"}`), jot.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; key.KeyID() != want {
		t.Errorf("thumbprint %s, want %s", key.KeyID(), want)
	}
}
