package jot_test

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/jot-auth/jot"
)

// What a verifier holds on to of a key is that secret's: a variable that gets another key verifies with that one.
func TestKeyedStatesBelongToTheirSecret(t *testing.T) {
	key, other := generateSecret(t), generateSecret(t)
	tokens := []string{sign(t, key, jot.SignerOptions{}, claims()), sign(t, other, jot.SignerOptions{}, claims())}
	contents := []jot.SecretKey{*key, *other}
	source := &countingSource{}
	source.hold(key)
	v := newVerifier(t, source, strict())
	for turn := range 6 {
		*key = contents[turn%2]
		for n, raw := range tokens {
			if err := v.Check(t.Context(), raw); (err == nil) != (n == turn%2) {
				t.Errorf("turn %d, token %d: %v", turn, n, err)
			}
		}
	}
}

// A secret that left the key source doesn't stay in memory while the verifier goes on working.
func TestVerifierForgetsSecretsThatLeft(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that each verification has the working memory of the one before
	private := generate(t, jot.EdDSA)
	source := &countingSource{}
	v := newVerifier(t, source, strict())
	check := func(key jot.VerificationKey, raw string) {
		source.hold(key)
		if err := v.Check(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	states := func() weak.Pointer[sync.Pool] {
		secret := generateSecret(t)
		check(secret, sign(t, secret, jot.SignerOptions{}, claims()))
		return weak.Make(jot.StatesForTest(secret))
	}()
	raw := sign(t, private, jot.SignerOptions{}, claims())
	for range 20 {
		check(private.Public(), raw)
		runtime.GC()
	}
	if states.Value() != nil {
		t.Error("the verifier holds the keyed state of a secret that left")
	}
}

// Verifiers and others use the same few secrets at once, in turns, while checks of revocation panic: nobody reckons
// with what another one writes to.
func TestSecretKeysInParallel(t *testing.T) {
	keys := []*jot.SecretKey{generateSecret(t), generateSecret(t), generateSecret(t), generateSecretFor(t, jot.HS512)}
	stranger := generateSecret(t)
	source := &countingSource{}
	source.hold(keys[0], keys[1], keys[2], keys[3])
	var asked atomic.Int64
	o := withRevocation(func(*jot.RevocationFacts) (jot.Verdict, error) {
		if asked.Add(1)%7 == 0 {
			panic("no answer")
		}
		return jot.Current, nil
	})
	v := newVerifier(t, source, o)
	check := func(raw string) (err error) {
		defer func() { _ = recover() }()
		return v.Check(t.Context(), raw)
	}
	var tokens []string
	for _, key := range keys {
		tokens = append(tokens, sign(t, key, jot.SignerOptions{}, claims()))
	}
	forged := sign(t, stranger, jot.SignerOptions{}, claims())
	input := []byte("header.payload")
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() {
			for turn := range 200 {
				key := keys[(worker+turn)%len(keys)]
				if err := check(tokens[(worker*turn)%len(tokens)]); err != nil {
					t.Errorf("a good token: %v", err)
				}
				if err := check(forged); !errors.Is(err, jot.ErrSignature) && !errors.Is(err, jot.ErrUnknownKey) {
					t.Errorf("a forged token: %v", err)
				}
				if signature, err := key.SignInput(t.Context(), input); err != nil || !key.VerifyInput(input, signature) {
					t.Errorf("signed beside it: %v", err)
				}
			}
		})
	}
	workers.Wait()
}
