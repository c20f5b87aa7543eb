package jot_test

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// Nil pointers and zero values of keys are no keys: they have no name, sign and verify nothing, and don't panic.
func TestZeroKeys(t *testing.T) {
	ctx := t.Context()
	for name, key := range map[string]jot.SigningKey{
		"nil private": (*jot.PrivateKey)(nil), "zero private": new(jot.PrivateKey), "nil secret": (*jot.SecretKey)(nil), "zero secret": new(jot.SecretKey),
	} {
		if signature, err := key.SignInput(ctx, nil); signature != nil || err == nil || !strings.HasPrefix(err.Error(), "jot: ") {
			t.Errorf("%s: signs %x, %v", name, signature, err)
		}
		if key.KeyID() != "" || key.Algorithm() != "" {
			t.Errorf("%s: is %q for %q", name, key.KeyID(), key.Algorithm())
		}
	}
	for name, key := range map[string]jot.VerificationKey{
		"nil public": (*jot.PublicKey)(nil), "zero public": new(jot.PublicKey), "nil secret": (*jot.SecretKey)(nil), "zero secret": new(jot.SecretKey),
	} {
		if key.VerifyInput(nil, nil) || key.VerifyInput(nil, make([]byte, 64)) {
			t.Errorf("%s: verifies", name)
		}
		if key.KeyID() != "" || key.Algorithm() != "" {
			t.Errorf("%s: is %q for %q", name, key.KeyID(), key.Algorithm())
		}
	}
	for name, err := range map[string]error{
		"thumbprint": second((*jot.PublicKey)(nil).Thumbprint(crypto.SHA256)), "URI": second(new(jot.PublicKey).ThumbprintURI()),
		"PEM": second((*jot.PublicKey)(nil).ExportPEM()), "JSON": second(new(jot.PublicKey).MarshalJSON()),
		"private PEM": second((*jot.PrivateKey)(nil).ExportPEM()), "private JWK": second(new(jot.PrivateKey).ExportJWK()), "secret JWK": second(new(jot.SecretKey).ExportJWK()),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "jot: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if (*jot.PrivateKey)(nil).Public() != nil || new(jot.PrivateKey).Public() != nil {
		t.Error("no private key has a public one")
	}
	if text := fmt.Sprint(jot.PrivateKey{}, jot.PublicKey{}, jot.SecretKey{}); text != "no private key no public key no secret key" {
		t.Error(text)
	}
}

// The zero values of what only a constructor makes whole refuse, and don't panic.
func TestZeroVerifierSignerAndToken(t *testing.T) {
	var verifier jot.Verifier
	for _, raw := range []string{"", "a.b.c", sign(t, generate(t, jot.ES256), jot.SignerOptions{}, claims())} {
		if token, err := verifier.Verify(t.Context(), raw); token != nil || !errors.Is(err, jot.ErrInvalidToken) || !errors.Is(verifier.Check(t.Context(), raw), jot.ErrInvalidToken) {
			t.Errorf("%.10q: %v", raw, err)
		}
	}
	var signer jot.Signer
	if raw, err := signer.Sign(t.Context(), claims()); raw != "" || err == nil || !strings.HasPrefix(err.Error(), "jot: ") {
		t.Errorf("%q, %v", raw, err)
	}
	var token jot.Token
	for _, said := range []string{
		signer.KeyID(), string(signer.Algorithm()), token.KeyID(), string(token.Algorithm()), token.Type(), token.Subject(), token.Scope(),
		string(token.Header()), string(token.Payload()),
	} {
		if said != "" {
			t.Errorf("a zero value says %q", said)
		}
	}
	if err := token.Decode(new(struct{})); err == nil {
		t.Error("no claims were decoded")
	}
}

func second[T any](_ T, err error) error { return err }

func TestNilSetsAnswerNothing(t *testing.T) {
	var public *jot.KeySet
	var secret *jot.SecretKeySet
	for _, source := range []jot.KeySource{public, secret, new(jot.KeySet), new(jot.SecretKeySet)} {
		for _, kid := range []string{"", "a"} {
			if keys, err := source.VerificationKeys(t.Context(), jot.ES256, kid); len(keys) != 0 || err != nil {
				t.Errorf("%v, %v", keys, err)
			}
		}
	}
	if public.Keys() != nil || public.Skipped() != nil || secret.Keys() != nil || secret.Skipped() != nil {
		t.Error("a nil set holds something")
	}
}

// answers is a key source with one answer to everything.
type answers []jot.VerificationKey

func (a answers) VerificationKeys(ctx context.Context, _ jot.Algorithm, _ string) ([]jot.VerificationKey, error) {
	return a, ctx.Err()
}

// A source that answers pointers to nothing refuses, and a good key among them is found.
func TestNilKeysOfASource(t *testing.T) {
	key := generate(t, jot.ES256)
	raw := sign(t, key, jot.SignerOptions{}, claims())
	nothing := answers{(*jot.PublicKey)(nil), (*jot.SecretKey)(nil), new(jot.PublicKey)}
	o := strict()
	for _, o.CacheSize = range []int{0, 4} {
		if err := newVerifier(t, nothing, o).Check(t.Context(), raw); !errors.Is(err, jot.ErrAlgorithm) {
			t.Error(err)
		}
		verifier := newVerifier(t, append(nothing, key.Public()), o)
		for range 2 {
			if err := verifier.Check(t.Context(), raw); err != nil {
				t.Error(err)
			}
		}
	}
}

// Keys never change: what holds one already is not overwritten.
func TestUnmarshalFillsOnlyWhatIsEmpty(t *testing.T) {
	first, later := generate(t, jot.ES256).Public(), generate(t, jot.EdDSA).Public()
	text := func(v any) []byte {
		written, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return written
	}
	var config struct {
		Key *jot.PublicKey
		Set *jot.KeySet
	}
	type document struct{ Key, Set any }
	if err := json.Unmarshal(text(document{first, jot.NewKeySet(first)}), &config); err != nil {
		t.Fatal(err)
	}
	for name, reload := range map[string][]byte{"a key": text(map[string]any{"Key": later}), "a set": text(map[string]any{"Set": jot.NewKeySet(later)})} {
		if err := json.Unmarshal(reload, &config); err == nil || !strings.Contains(err.Error(), "holds a key") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := json.Unmarshal(text(jot.NewKeySet(later)), jot.NewKeySet()); err == nil {
		t.Error("a set that was made, of no keys, was filled")
	}
	if config.Key.KeyID() != first.KeyID() || len(config.Set.Keys()) != 1 || config.Set.Keys()[0].KeyID() != first.KeyID() {
		t.Errorf("%v and %v were altered", config.Key, config.Set.Keys())
	}
}
