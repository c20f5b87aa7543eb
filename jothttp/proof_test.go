package jothttp

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// FuzzProof: whatever the header says, there is no panic, and nothing is a proof that nobody signed for this request.
func FuzzProof(f *testing.F) {
	for _, seed := range []string{
		"", "a.b.c", "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7fX0.e30.", "eyJhbGciOiJub25lIn0.e30.",
		// RFC 9449 §4.1
		"eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
	} {
		f.Add(seed)
	}
	proofs, err := NewProofVerifier(ProofOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		proof, err := proofs.Verify(t.Context(), ProofRequest{Fields: []string{raw}, Method: "POST", URL: "https://server.example.com/token"})
		if (proof == nil) != (err != nil) || err == nil {
			t.Errorf("%q: %v, %v", raw, proof, err)
		}
	})
}

// FuzzTarget: an address is the same as itself, if it's one at all, and normalization has nothing left to do for its
// result.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"https://a", "https://a:443/%7e%2f?x#y", "HTTP://[::1]:80/", "https://a/%", "https://a/%zz", "//a", "https://u@a/", "http://:/", "https://:443/a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		normal, ok := normalTarget(text)
		if !ok {
			return
		}
		if again, ok := normalTarget(normal); !ok || again != normal {
			t.Errorf("%q: %q, and then %q, %v", text, normal, again, ok)
		}
		if !sameTarget(text, normal) {
			t.Errorf("%q isn't %q", text, normal)
		}
	})
}

// TestExampleOfProof is RFC 9449's own proof, at its own time.
func TestExampleOfProof(t *testing.T) {
	const proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	verifier, err := NewProofVerifier(ProofOptions{Now: func() time.Time { return time.Unix(1562262616, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	got, err := verifier.Verify(t.Context(), ProofRequest{Fields: []string{proof}, Method: "POST", URL: "https://server.example.com/token"})
	if err != nil || got.Thumbprint != "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" { // §6.1
		t.Errorf("%v, %v", got, err)
	}
}

// TestLargestProofKey: an RSA key of 4096 bits is read, and no larger one.
func TestLargestProofKey(t *testing.T) {
	verifier, err := NewProofVerifier(ProofOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for size, good := range map[int]bool{256: true, 512: true, 513: false, 1024: false} {
		modulus := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, size))
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"dpop+jwt","alg":"RS256","jwk":{"kty":"RSA","e":"AQAB","n":"` + modulus + `"}}`))
		if _, _, err := verifier.readKey(header + ".e30." + modulus); (err == nil) != good {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestProofSignerAlgorithms: a key whose proofs nobody takes makes none.
func TestProofSignerAlgorithms(t *testing.T) {
	key, err := jot.GenerateKey(jot.MLDSA44)
	if err != nil {
		t.Skip(err) // before Go 1.27
	}
	if _, err := NewProofSigner(key, nil); err == nil {
		t.Error("a signer with ML-DSA")
	}
}

// Only keys with a public half prove that somebody holds them, and nothing is negative.
func TestProofOptions(t *testing.T) {
	for name, o := range map[string]ProofOptions{
		"negative age": {MaxAge: -1}, "negative memory": {MaxProofs: -1}, "HMAC": {Algorithms: []jot.Algorithm{jot.ES256, jot.HS256}}, "none": {Algorithms: []jot.Algorithm{"none"}},
	} {
		if _, err := NewProofVerifier(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := NewProofSigner(nil, nil); err == nil {
		t.Error("no key signs proofs")
	}
}

// What is no address is not the same as another that is none.
func TestTargetsThatAreNone(t *testing.T) {
	const good = "https://pets.example/pets"
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{good, good, true}, {"", "", false}, {"/pets", "/pets", false}, {"https://pets.example/%zz", "https://pets.example/%zz", false},
		{"https://pets.example/%4", "https://pets.example/%4", false}, {"https:pets", "https:pets", false}, {good, "", false}, {"", good, false},
		{"https://pets.example", "https://pets.example/", true}, {"https://pets.example/%7e%2E%5f%2d", "https://pets.example/~._-", true},
		{"https://pets.example:443/pets", good, true}, {"https://pets.example:80/pets", good, false}, {"http://pets.example:443/pets", "http://pets.example/pets", false},
	} {
		if sameTarget(c.a, c.b) != c.same {
			t.Errorf("%q and %q: %v", c.a, c.b, !c.same)
		}
	}
}

// Tokens go to one origin: a port that isn't the scheme's own makes another.
func TestOriginsAndPorts(t *testing.T) {
	for text, want := range map[string]string{
		"https://API.example:443": "https://api.example", "https://api.example": "https://api.example", "https://api.example:80": "https://api.example:80",
		"https://api.example:444": "https://api.example:444", "http://localhost:80": "http://localhost", "http://localhost:443": "http://localhost:443",
		"http://[::1]:80": "http://[::1]", "https://[2001:db8::1]:8443": "https://[2001:db8::1]:8443", "http://127.0.0.1": "http://127.0.0.1",
		"http://10.0.0.1": "", "http://api.example": "", "http://localhost.example": "", "https://": "", "ftp://localhost": "",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := secureOrigin(u); got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
}
