package jot_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// A contender is one of several functions that are measured against each other. The first one is what the others are
// measured by.
type contender struct {
	name string
	run  func()
}

// compare runs the contenders in turns, many short ones, so that whatever else the machine does strikes all of them
// alike. It reports of each the fastest turn in nanoseconds, and how many times the first one's it took: in its fastest
// turn (x), and in the median turn (med).
func compare(b *testing.B, calls int, contenders ...contender) {
	times := make([][]time.Duration, len(contenders))
	for b.Loop() {
		for i, c := range contenders {
			start := time.Now()
			for range calls {
				c.run()
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	b.ReportMetric(0, "ns/op") // of all of them together: it says nothing
	for i, c := range contenders {
		slices.Sort(times[i])
		b.ReportMetric(float64(times[i][0])/float64(calls), "ns:"+c.name)
		b.ReportMetric(float64(times[i][0])/float64(times[0][0]), "x:"+c.name)
		b.ReportMetric(float64(times[i][len(times[i])/2])/float64(times[0][len(times[0])/2]), "med:"+c.name)
	}
}

// live is a policy that reads the clock, though it doesn't believe it.
func live() jot.VerifierOptions {
	o := strict()
	o.Type = "at+jwt"
	o.Now = func() time.Time {
		now := time.Now()
		return noon.Add(now.Sub(now))
	}
	return o
}

func mustNot(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkHS256(b *testing.B) {
	secret := []byte("the secret of a benchmark, fixed")
	key, err := jot.NewSecretKey(jot.HS256, secret, jot.KeyOptions{KeyID: "2026-11-primary"})
	mustNot(b, err)
	raw := sign(b, key, jot.SignerOptions{Type: "at+jwt"}, json.RawMessage(accessToken))
	input := []byte(raw[:strings.LastIndexByte(raw, '.')])
	forged, huge := raw[:len(raw)-4]+"AAAA", strings.Repeat("a", 16<<10+1)
	verifier := newVerifier(b, jot.NewSecretKeySet(key), live())
	mac, sum, ctx := hmac.New(sha256.New, secret), make([]byte, 0, sha256.Size), b.Context()
	reused := contender{"reused", func() { mac.Reset(); mac.Write(input); sum = mac.Sum(sum[:0]) }}
	fresh := contender{"hmac.New", func() { m := hmac.New(sha256.New, secret); m.Write(input); sum = m.Sum(sum[:0]) }}
	b.Run("verify", func(b *testing.B) {
		compare(b, 20, fresh, reused,
			contender{"Check", func() { mustNot(b, verifier.Check(ctx, raw)) }},
			contender{"Verify", func() { _, err := verifier.Verify(ctx, raw); mustNot(b, err) }},
			contender{"Verify[T]", func() { _, _, err := jot.Verify[accessTokenClaims](ctx, verifier, raw); mustNot(b, err) }})
	})
	b.Run("refuse", func(b *testing.B) {
		compare(b, 20, reused,
			contender{"forged", func() { _ = verifier.Check(ctx, forged) }},
			contender{"huge", func() { _ = verifier.Check(ctx, huge) }})
	})
	b.Run("sign", func(b *testing.B) {
		signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
		mustNot(b, err)
		claims := registered()
		raw, err := signer.Sign(ctx, claims)
		mustNot(b, err)
		input = []byte(raw[:strings.LastIndexByte(raw, '.')])
		compare(b, 20, fresh, reused, contender{"Sign", func() { _, err := signer.Sign(ctx, claims); mustNot(b, err) }})
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_ = verifier.Check(ctx, raw)
			}
		})
	})
}

func BenchmarkCache(b *testing.B) {
	key := generateSecret(b)
	o := live()
	o.CacheSize = 1 << 15
	verifier := newVerifier(b, jot.NewSecretKeySet(key), o)
	raws := make([]string, 10_000)
	for i := range raws {
		raws[i] = sign(b, key, jot.SignerOptions{Type: "at+jwt"}, json.RawMessage(fmt.Sprintf(`{"n":%d,%s`, i, accessToken[1:])))
		mustNot(b, verifier.Check(b.Context(), raws[i]))
	}
	ctx, next := b.Context(), 0
	compare(b, 100,
		contender{"hot", func() { mustNot(b, verifier.Check(ctx, raws[0])) }},
		contender{"cold", func() { mustNot(b, verifier.Check(ctx, raws[next])); next = (next + 7919) % len(raws) }})
}

func BenchmarkPublicKeys(b *testing.B) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	mustNot(b, err)
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	mustNot(b, err)
	public, edKey, err := ed25519.GenerateKey(rand.Reader)
	mustNot(b, err)
	for _, test := range []struct {
		alg    jot.Algorithm
		key    crypto.Signer
		sign   func(input []byte) []byte
		verify func(input, signature []byte) bool
	}{
		{jot.RS256, rsaKey, func(input []byte) []byte {
			digest := sha256.Sum256(input)
			signature, _ := rsaKey.Sign(rand.Reader, digest[:], crypto.SHA256)
			return signature
		}, func(input, signature []byte) bool {
			digest := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, digest[:], signature) == nil
		}},
		{jot.ES256, ecdsaKey, func(input []byte) []byte {
			digest := sha256.Sum256(input)
			signature, _ := ecdsaKey.Sign(rand.Reader, digest[:], crypto.SHA256)
			return signature
		}, func(input, signature []byte) bool {
			digest := sha256.Sum256(input)
			return ecdsa.VerifyASN1(&ecdsaKey.PublicKey, digest[:], signature)
		}},
		{jot.EdDSA, edKey, func(input []byte) []byte { return ed25519.Sign(edKey, input) },
			func(input, signature []byte) bool { return ed25519.Verify(public, input, signature) }},
	} {
		key, err := jot.NewPrivateKey(test.alg, test.key, jot.KeyOptions{})
		mustNot(b, err)
		raw := sign(b, key, jot.SignerOptions{Type: "at+jwt"}, json.RawMessage(accessToken))
		input := []byte(raw[:strings.LastIndexByte(raw, '.')])
		signature := test.sign(input)
		verifier := newVerifier(b, jot.NewKeySet(key.Public()), live())
		signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
		mustNot(b, err)
		ctx, claims := b.Context(), registered()
		b.Run(string(test.alg)+"/verify", func(b *testing.B) {
			compare(b, 2, contender{"primitive", func() { test.verify(input, signature) }},
				contender{"Verify", func() { _, err := verifier.Verify(ctx, raw); mustNot(b, err) }})
		})
		b.Run(string(test.alg)+"/sign", func(b *testing.B) {
			compare(b, 2, contender{"primitive", func() { test.sign(input) }},
				contender{"Sign", func() { _, err := signer.Sign(ctx, claims); mustNot(b, err) }})
		})
	}
}
