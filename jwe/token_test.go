package jwe_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
)

// house is an issuer that signs, a verifier of its tokens, and a recipient.
type house struct {
	signer    *jot.Signer
	verifier  *jot.Verifier
	recipient *jwe.PrivateKey
}

func newHouse(t testing.TB) house {
	t.Helper()
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{Issuer: "https://auth.example.com", Audience: "petstore"})
	if err != nil {
		t.Fatal(err)
	}
	return house{signer, verifier, privateKey(t, jwe.ECDH_ES_A256KW)}
}

func claims(changes ...any) map[string]any {
	all := map[string]any{"iss": "https://auth.example.com", "aud": "petstore", "sub": "ada", "exp": time.Now().Add(time.Minute).Unix()}
	for i := 0; i < len(changes); i += 2 {
		all[changes[i].(string)] = changes[i+1]
	}
	return all
}

func (h house) seal(t testing.TB, o jwe.EncrypterOptions, claims any) string {
	t.Helper()
	raw, err := newEncrypter(t, jwe.A256GCM, o, h.recipient.Public()).SealToken(t.Context(), h.signer, claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestNestedToken(t *testing.T) {
	h := newHouse(t)
	d := newDecrypter(t, jwe.DecrypterOptions{}, h.recipient)
	for _, o := range []jwe.EncrypterOptions{
		{}, {ContentType: "JWT"}, {ContentType: "application/jwt"}, {Type: "JWT"},
		{Header: map[string]any{"iss": "https://auth.example.com", "sub": "ada", "aud": []string{"petstore"}}}, {Header: map[string]any{"aud": "petstore"}},
	} {
		raw := h.seal(t, o, claims())
		token, err := d.OpenToken(t.Context(), h.verifier, raw)
		if err != nil || token.Subject() != "ada" {
			t.Errorf("%+v: %v, %v", o, token, err)
		}
		if message, err := d.Decrypt(t.Context(), []byte(raw)); err != nil || message.ContentType() != "JWT" {
			t.Errorf("%+v: %v, %v", o, message, err)
		}
		if token, err := h.verifier.Verify(t.Context(), raw); token != nil || !errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("a verifier without the decrypter: %v, %v", token, err)
		}
	}
}

// Being encrypted for the recipient proves nothing, and neither does a decrypted header.
func TestOpenTokenRefuses(t *testing.T) {
	h, stranger := newHouse(t), newHouse(t)
	d := newDecrypter(t, jwe.DecrypterOptions{}, h.recipient)
	signed, err := h.signer.Sign(t.Context(), claims())
	if err != nil {
		t.Fatal(err)
	}
	stranger.recipient = h.recipient
	content := func(contentType, plaintext string) string {
		return encrypt(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{ContentType: contentType}, h.recipient.Public()), plaintext)
	}
	header := func(name string, value any) string { // as somebody else may write it
		o := jwe.EncrypterOptions{ContentType: "JWT", Header: map[string]any{name: value}}
		return encrypt(t, newEncrypter(t, jwe.A256GCM, o, h.recipient.Public()), signed)
	}
	inJSON := encryptJSON(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{ContentType: "JWT"}, h.recipient.Public()), signed, "")
	good := h.seal(t, jwe.EncrypterOptions{}, claims())
	for _, test := range []struct {
		name, raw string
		want      error
	}{
		{"no cty", content("", signed), jwe.ErrDecryption},
		{"another cty", content("text/plain", signed), jwe.ErrDecryption},
		{"claims that nobody signed", content("JWT", `{"iss":"https://auth.example.com","aud":"petstore","sub":"ada","exp":9999999999}`), jot.ErrMalformed},
		{"a token within a token", content("JWT", good), jot.ErrMalformed},
		{"nothing", content("JWT", ""), jot.ErrMalformed},
		{"a stranger's signature", stranger.seal(t, jwe.EncrypterOptions{}, claims()), jot.ErrInvalidToken},
		{"expired", h.seal(t, jwe.EncrypterOptions{}, claims("exp", 1)), jot.ErrExpired},
		{"another audience", h.seal(t, jwe.EncrypterOptions{}, claims("aud", "another")), jot.ErrInvalidToken},
		{"the signed token alone", signed, jwe.ErrDecryption},
		{"another iss in the header", header("iss", "https://evil.example"), jwe.ErrDecryption},
		{"another sub in the header", header("sub", "eve"), jwe.ErrDecryption},
		{"null sub in the header", header("sub", nil), jwe.ErrDecryption},
		{"another aud in the header", header("aud", []string{"petstore", "another"}), jwe.ErrDecryption},
		{"no aud in the header", header("aud", []string{}), jwe.ErrDecryption},
		{"aud of a wrong type in the header", header("aud", []any{"petstore", 1}), jwe.ErrDecryption},
		{"iss as a list in the header", header("iss", []string{"https://auth.example.com"}), jwe.ErrDecryption},
		{"sub as a number in the header", header("sub", 1), jwe.ErrDecryption},
		{"JSON", inJSON, jwe.ErrDecryption},
		{"JSON on a line of its own", "\n" + inJSON, jwe.ErrDecryption},
		{"altered", good[:len(good)-4] + "AAAA", jwe.ErrDecryption},
		{"empty", "", jwe.ErrDecryption},
	} {
		token, err := d.OpenToken(t.Context(), h.verifier, test.raw)
		if token != nil || !errors.Is(err, test.want) || !errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("%s: %v, %v", test.name, token, err)
		}
	}
	if token, err := d.OpenToken(t.Context(), nil, good); token != nil || err == nil || errors.Is(err, jot.ErrInvalidToken) {
		t.Errorf("without a verifier: %v, %v", token, err)
	}
}

// A key source that fails says nothing about the token.
func TestOpenTokenUnavailable(t *testing.T) {
	h := newHouse(t)
	verifier, err := jot.NewVerifier(brokenSource{}, jot.VerifierOptions{AnyIssuer: true, AnyAudience: true})
	if err != nil {
		t.Fatal(err)
	}
	token, err := newDecrypter(t, jwe.DecrypterOptions{}, h.recipient).OpenToken(t.Context(), verifier, h.seal(t, jwe.EncrypterOptions{}, claims()))
	if token != nil || !errors.Is(err, jot.ErrUnavailable) || errors.Is(err, jot.ErrInvalidToken) {
		t.Errorf("%v, %v", token, err)
	}
}

type brokenSource struct{}

func (brokenSource) VerificationKeys(context.Context, jot.Algorithm, string) ([]jot.VerificationKey, error) {
	return nil, errors.New("no connection")
}

func TestSealTokenRefuses(t *testing.T) {
	h := newHouse(t)
	another := newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{ContentType: "text/plain"}, h.recipient.Public())
	several := newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, h.recipient.Public(), secretKey(t, jwe.A256KW))
	e := newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, h.recipient.Public())
	signings := 0
	counting, err := jot.NewRemoteKey(jot.EdDSA, ed25519.PublicKey(bytes.Repeat([]byte{7}, 32)), func(context.Context, []byte) ([]byte, error) {
		signings++
		return nil, nil
	}, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	unsure, err := jot.NewSigner(counting, jot.SignerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	headed := func(name string, value any) func() (string, error) {
		e := newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{Header: map[string]any{name: value}}, h.recipient.Public())
		return func() (string, error) { return e.SealToken(t.Context(), h.signer, claims()) }
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for name, seal := range map[string]func() (string, error){
		"another content type": func() (string, error) { return another.SealToken(t.Context(), h.signer, claims()) },
		"several recipients":   func() (string, error) { return several.SealToken(t.Context(), unsure, claims()) },
		"another iss":          headed("iss", "https://evil.example"),
		"another sub":          headed("sub", "eve"),
		"another aud":          headed("aud", []string{"petstore", "another"}),
		"sub of a wrong type":  headed("sub", 1),
		"no signer":            func() (string, error) { return e.SealToken(t.Context(), nil, claims()) },
		"bad claims":           func() (string, error) { return e.SealToken(t.Context(), h.signer, claims("exp", "soon")) },
		"context that ended":   func() (string, error) { return e.SealToken(ended, h.signer, claims()) },
	} {
		if raw, err := seal(); raw != "" || err == nil || strings.Contains(err.Error(), "ada") {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
	}
	if signings > 0 {
		t.Error("a token was signed in vain")
	}
	bare := newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{Header: map[string]any{"aud": []string{}}}, h.recipient.Public())
	if raw, err := bare.SealToken(t.Context(), h.signer, map[string]any{"sub": "ada"}); err == nil {
		t.Errorf("an audience of nobody for a token without one: %s", raw)
	}
}

// Each claim that the header repeats has to be the token's, however many others are.
func TestEachRepeatedClaimCounts(t *testing.T) {
	private, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	signer, err1 := jot.NewSigner(private, jot.SignerOptions{})
	verifier, err2 := jot.NewVerifier(jot.NewKeySet(private.Public()), jot.VerifierOptions{AnyIssuer: true, AnyAudience: true, NoExpiry: true})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	claims := map[string]string{"iss": "a", "sub": "b", "aud": "c"}
	signed, err := signer.Sign(t.Context(), claims)
	if err != nil {
		t.Fatal(err)
	}
	key := directKey(t, jwe.A128GCM)
	d := newDecrypter(t, jwe.DecrypterOptions{}, key)
	open := func(header string) error {
		_, err := d.OpenToken(t.Context(), verifier, forge(t, key, `{"alg":"dir","enc":"A128GCM","cty":"JWT",`+header+`}`, signed))
		return err
	}
	if err := open(`"iss":"a","sub":"b","aud":"c"`); err != nil {
		t.Fatal(err)
	}
	for range 20 { // their order is nobody's
		for _, header := range []string{`"iss":"x","sub":"b","aud":"c"`, `"iss":"a","sub":"x","aud":"c"`, `"iss":"a","sub":"b","aud":"x"`} {
			if err := open(header); err != jwe.ErrDecryption {
				t.Errorf("%s: %v", header, err)
			}
		}
	}
}
