// Package migrating runs the code of docs/migrating.md: what a program does with another library, and the same with
// jot.
package migrating

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/jot-auth/jot"
)

// page is the document whose code this package runs.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// requireRow holds that the document has a row of a table with these cells.
func requireRow(t *testing.T, cells ...string) {
	t.Helper()
	if row := "\n| " + strings.Join(cells, " | ") + " |\n"; !strings.Contains(page(t), row) {
		t.Errorf("the page lacks the row%s", row)
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encodePEM(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// serveKeys serves the public key as a JWK Set.
func serveKeys(t *testing.T, key *ecdsa.PrivateKey) (url string) {
	t.Helper()
	public, err := jot.NewPublicKey(jot.ES256, &key.PublicKey, jot.KeyOptions{KeyID: "2026-11"})
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(jot.NewKeySet(public))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// header is that of the tokens that the tests make by hand.
const header = `{"alg":"ES256","kid":"2026-11","typ":"JWT"}`

// payload is an object with the claims that every verifier of the page demands, and these members.
func payload(members ...string) string {
	claims := []string{`"iss":"https://auth.example.com"`, `"sub":"ada"`, `"aud":"petstore"`}
	return "{" + strings.Join(append(claims, members...), ",") + "}"
}

// date is a member that is a date so far from now.
func date(name string, ahead time.Duration) string {
	encoded, err := json.Marshal(map[string]int64{name: time.Now().Add(ahead).Unix()})
	if err != nil {
		panic(err) // there is no such map
	}
	return strings.Trim(string(encoded), "{}")
}

// signText signs any text, which no library's front door would.
func signText(t *testing.T, key *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	signature, err := jwt.SigningMethodES256.Sign(input, key)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// What one library signs, all of them verify, with the code of the page.
func TestSignAndVerify(t *testing.T) {
	key := newKey(t)
	signers := map[string]func(*ecdsa.PrivateKey) (string, error){
		"golang-jwt": golangJWTSign, "go-jose": goJoseSign, "jwx": jwxSign, "jot": jotSign,
	}
	for signer, sign := range signers {
		raw, err := sign(key)
		if err != nil {
			t.Fatal(signer, err)
		}
		for verifier, verify := range verifiers {
			subject, err := verify(&key.PublicKey, raw)
			if err != nil || subject != "ada" {
				t.Errorf("what %s signs, %s reads as %q, %v", signer, verifier, subject, err)
			}
		}
	}
}

var verifiers = map[string]func(*ecdsa.PublicKey, string) (subject string, err error){
	"golang-jwt": golangJWTVerify, "go-jose": goJoseVerify, "jwx": jwxVerify, "jot": jotVerify,
}

func TestOwnClaims(t *testing.T) {
	key := newKey(t)
	raw := signText(t, key, header, payload(date("exp", time.Minute), `"role":"keeper"`))
	for name, decode := range map[string]func(*ecdsa.PublicKey, string) (role string, err error){
		"golang-jwt": golangJWTOwnClaims, "go-jose": goJoseOwnClaims, "jwx": jwxOwnClaims, "jot": jotOwnClaims,
	} {
		if role, err := decode(&key.PublicKey, raw); err != nil || role != "keeper" {
			t.Errorf("%s reads the role as %q, %v", name, role, err)
		}
	}
	var unfit *jot.DecodeError
	_, err := jotOwnClaims(&key.PublicKey, signText(t, key, header, payload(date("exp", time.Minute), `"role":7`)))
	if !errors.As(err, &unfit) || errors.Is(err, jot.ErrInvalidToken) || errors.Is(err, jot.ErrUnavailable) {
		t.Errorf("jot says of a role that is a number: %v", err)
	}
}

func TestKeysInPEM(t *testing.T) {
	key := newKey(t)
	for name, read := range map[string]func(data []byte) error{
		"golang-jwt": golangJWTKey, "go-jose": goJoseKey, "jwx": jwxKey, "jot": jotKey,
	} {
		if err := read(encodePEM(t, key)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if read([]byte("-----BEGIN NOTHING-----")) == nil {
			t.Errorf("%s reads a key where there is none", name)
		}
	}
}

func TestKeysFromURL(t *testing.T) {
	key := newKey(t)
	url := serveKeys(t, key)
	raw := signText(t, key, header, payload(date("exp", time.Minute)))
	for name, verify := range map[string]func(t *testing.T, url, raw string) error{
		"golang-jwt": golangJWTFromURL, "go-jose": goJoseFromURL, "jwx": jwxFromURL, "jot": jotFromURL,
	} {
		if err := verify(t, url, raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if verify(t, url, signText(t, newKey(t), header, payload(date("exp", time.Minute)))) == nil {
			t.Errorf("%s accepts another key's token", name)
		}
	}
}

func TestMiddleware(t *testing.T) {
	key := newKey(t)
	raw := signText(t, key, header, payload(date("exp", time.Minute)))
	for name, protect := range map[string]func(*testing.T, *ecdsa.PublicKey) http.Handler{
		"golang-jwt": golangJWTMiddleware, "jwx": jwxMiddleware, "jot": jotMiddleware,
	} {
		handler := protect(t, &key.PublicKey)
		for _, test := range []struct {
			authorization string
			status        int
			body          string
		}{{"Bearer " + raw, 200, "hello, ada"}, {"Bearer " + raw + "AAAA", 401, ""}, {"", 401, ""}} {
			request := httptest.NewRequest("GET", "/", nil)
			if test.authorization != "" {
				request.Header.Set("Authorization", test.authorization)
			}
			response := httptest.NewRecorder()
			handler.ServeHTTP(response, request)
			if response.Code != test.status || test.body != "" && response.Body.String() != test.body {
				t.Errorf("%s answers %d %s", name, response.Code, response.Body)
			}
		}
	}
}
