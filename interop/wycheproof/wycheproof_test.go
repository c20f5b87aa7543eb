package wycheproof

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/jot-auth/jot/interop/vectors"
)

var update = flag.Bool("update", false, "write what was found into docs/conformance.md")

// everyEncryption is what a case without a word on it is decrypted with.
var everyEncryption = []string{"A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"}

func TestVectors(t *testing.T) {
	signed, encrypted := messages(t)
	var results []vectors.Result
	for _, run := range []struct {
		suite vectors.Suite
		cases []vectors.Case
	}{
		{vectors.JWS(signatureDeviations), signed},
		{vectors.JWE(encryptionDeviations), encrypted},
		agreements(t, "ECDH with JWKs", "ecdh_secp256r1_webcrypto", "ecdh_secp384r1_webcrypto", "ecdh_secp521r1_webcrypto", "x25519_jwk"),
		agreements(t, "ECDH on other curves", "ecdh_secp256k1_webcrypto", "x448_jwk"),
	} {
		t.Run(run.suite.Name, func(t *testing.T) { results = append(results, run.suite.Run(t, run.cases)) })
	}
	if !t.Failed() {
		vectors.HoldPage(t, "Wycheproof", vectors.Table(results), *update)
	}
}

// group is a key, or a key set, with its tests.
type group struct {
	Public  json.RawMessage
	Private json.RawMessage
	Tests   []struct {
		ID      int `json:"tcId"`
		Comment string
		JWS     message
		JWE     message
		Enc     string
		Flags   []string
		Text    *string `json:"pt"`
		Result  string
		vector
	}
}

// message is a compact message, a JSON string, or one in JSON serialization, an object.
type message string

func (m *message) UnmarshalJSON(data []byte) error {
	if data[0] == '{' {
		*m = message(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(m))
}

func read(t *testing.T, file string) []group {
	t.Helper()
	data, err := fs.ReadFile(wycheproof.TestVectors, file+"_test.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		NumberOfTests int
		TestGroups    []group
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, g := range document.TestGroups {
		count += len(g.Tests)
	}
	if count == 0 || count != document.NumberOfTests {
		t.Fatalf("%s says that it has %d tests, and has %d", file, document.NumberOfTests, count)
	}
	return document.TestGroups
}

// messages are the cases with a JWS or a JWE.
func messages(t *testing.T) (signed, encrypted []vectors.Case) {
	t.Helper()
	for _, file := range []string{"json_web_signature", "json_web_key", "json_web_encryption", "json_web_crypto"} {
		for _, g := range read(t, file) {
			for _, test := range g.Tests {
				c := vectors.Case{ID: fmt.Sprintf("%s/%d", file, test.ID), Expect: test.Result, Token: string(test.JWS + test.JWE), Comment: fmt.Sprint(test.Comment, test.Flags)}
				if test.JWS != "" || test.JWE == "" { // an empty message is one too
					signed = append(signed, withKey(t, c, cmp.Or(string(g.Public), string(g.Private))))
					continue
				}
				c.Encryptions, c.Plaintext = everyEncryption, plaintext(t, test.Text)
				if test.Enc != "" {
					c.Encryptions = []string{test.Enc}
				}
				encrypted = append(encrypted, withKey(t, c, string(g.Private)))
			}
		}
	}
	return signed, encrypted
}

func plaintext(t *testing.T, text *string) *vectors.Text {
	if text == nil {
		return nil
	}
	decoded, err := hex.DecodeString(*text)
	if err != nil {
		t.Fatal(err)
	}
	return (*vectors.Text)(&decoded)
}

// withKey adds a key, with the algorithm that it's for, or a key set, with all of theirs.
func withKey(t *testing.T, c vectors.Case, key string) vectors.Case {
	t.Helper()
	var members struct {
		Alg  string
		Keys []struct{ Alg string }
	}
	if err := json.Unmarshal([]byte(key), &members); err != nil {
		t.Fatal(err)
	}
	if members.Keys == nil {
		c.JWK, c.Algorithms = []byte(key), []string{algorithmOf(members.Alg)}
		return c
	}
	c.JWKS = []byte(key)
	for _, k := range members.Keys {
		c.Algorithms = append(c.Algorithms, algorithmOf(k.Alg))
	}
	return c
}

// algorithmOf translates the "alg" of a key for direct encryption: it names the content encryption.
func algorithmOf(alg string) string {
	if strings.HasSuffix(alg, "GCM") || strings.Contains(alg, "CBC-") {
		return "dir"
	}
	return alg
}
