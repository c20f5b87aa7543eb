package jot_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/jot-auth/jot"
)

// A key in an HSM is a crypto.Signer whose material is out of reach.
type remoteSigner struct {
	crypto.Signer
	answer func([]byte, error) ([]byte, error)
}

func (s remoteSigner) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return s.answer(s.Signer.Sign(random, digest, o))
}

// service is a key management service that takes digests, and answers like crypto.Signer: DER for ECDSA.
func service(alg jot.Algorithm, key crypto.Signer) jot.SignerFunc {
	return func(_ context.Context, input []byte) ([]byte, error) {
		switch hash := alg.Hash(); alg {
		case jot.EdDSA, jot.Ed25519:
			return key.Sign(rand.Reader, input, hash)
		case jot.PS256, jot.PS384, jot.PS512:
			return key.Sign(rand.Reader, digest(hash, input), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash})
		default:
			return key.Sign(rand.Reader, digest(hash, input), hash)
		}
	}
}

func digest(hash crypto.Hash, input []byte) []byte {
	state := hash.New()
	state.Write(input)
	return state.Sum(nil)
}

// raw is what a service answers that knows JOSE: r‖s.
func raw(der []byte, size int) []byte {
	var scalars struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &scalars); err != nil {
		panic(err)
	}
	return slices.Concat(scalars.R.FillBytes(make([]byte, size)), scalars.S.FillBytes(make([]byte, size)))
}

var ecdsaCurves = map[jot.Algorithm]elliptic.Curve{jot.ES256: elliptic.P256(), jot.ES384: elliptic.P384(), jot.ES512: elliptic.P521()}

// rsaSigners are made once: it takes a while.
var rsaSigners = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		keys[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return keys
})

// signersFor returns two keys of the standard library that the algorithm can use.
func signersFor(t *testing.T, alg jot.Algorithm) (keys [2]crypto.Signer) {
	t.Helper()
	for i := range keys {
		var err error
		switch curve := ecdsaCurves[alg]; {
		case curve != nil:
			keys[i], err = ecdsa.GenerateKey(curve, rand.Reader)
		case alg == jot.EdDSA || alg == jot.Ed25519:
			_, keys[i], err = ed25519.GenerateKey(rand.Reader)
		default:
			keys[i] = rsaSigners()[i]
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

func signerFor(t *testing.T, alg jot.Algorithm) crypto.Signer {
	t.Helper()
	return signersFor(t, alg)[0]
}

// newPrivate is like generate, but quick for RSA, too.
func newPrivate(t *testing.T, alg jot.Algorithm) *jot.PrivateKey {
	t.Helper()
	key, err := jot.NewPrivateKey(alg, signerFor(t, alg), jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestRemoteKey(t *testing.T) {
	for _, alg := range everyAlgorithm {
		if alg.Symmetric() {
			continue
		}
		t.Run(string(alg), func(t *testing.T) {
			signers := signersFor(t, alg)
			local, other := signers[0], signers[1]
			key, err := jot.NewRemoteKey(alg, local.Public(), service(alg, local), jot.KeyOptions{KeyID: "kms-1"})
			if err != nil {
				t.Fatal(err)
			}
			foreign, err := jot.NewPrivateKey(alg, remoteSigner{local, func(s []byte, err error) ([]byte, error) { return s, err }}, jot.KeyOptions{KeyID: "kms-1"})
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range []*jot.PrivateKey{key, foreign} {
				times := 1
				if ecdsaCurves[alg] != nil {
					times = 20 // r and s differ in length
				}
				for range times {
					token := sign(t, key, jot.SignerOptions{}, claims())
					if err := newVerifier(t, jot.NewKeySet(key.Public()), strict()).Check(t.Context(), token); err != nil {
						t.Fatal(err)
					}
				}
				if text, err := key.ExportJWK(); err == nil {
					t.Errorf("a remote key was exported: %s", text)
				}
				if text, err := key.ExportPEM(); err == nil {
					t.Errorf("a remote key was exported: %s", text)
				}
			}
			wrong, err := jot.NewRemoteKey(alg, local.Public(), service(alg, other), jot.KeyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if signature, err := wrong.SignInput(t.Context(), []byte("input")); err == nil {
				t.Errorf("the signature of another key left: %x", signature)
			}
		})
	}
}

func TestRemoteKeyAnswers(t *testing.T) {
	for alg := range ecdsaCurves {
		t.Run(string(alg), func(t *testing.T) { testRemoteAnswers(t, alg) })
	}
}

func testRemoteAnswers(t *testing.T, alg jot.Algorithm) {
	local := signerFor(t, alg)
	size := (ecdsaCurves[alg].Params().BitSize + 7) / 8
	keyThat := func(answer func([]byte, error) ([]byte, error)) *jot.PrivateKey {
		key, err := jot.NewRemoteKey(alg, local.Public(), func(ctx context.Context, input []byte) ([]byte, error) {
			return answer(service(alg, local)(ctx, input))
		}, jot.KeyOptions{KeyID: "kms-1"})
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	inJOSE := keyThat(func(s []byte, _ error) ([]byte, error) { return raw(s, size), nil })
	token := sign(t, inJOSE, jot.SignerOptions{}, claims())
	if err := newVerifier(t, jot.NewKeySet(inJOSE.Public()), strict()).Check(t.Context(), token); err != nil {
		t.Error("r‖s:", err)
	}
	outage := errors.New("the service is down")
	for name, answer := range map[string]func([]byte, error) ([]byte, error){
		"an outage":     func([]byte, error) ([]byte, error) { return nil, outage },
		"a late outage": func(s []byte, _ error) ([]byte, error) { return s, outage },
		"nothing":       func([]byte, error) ([]byte, error) { return nil, nil },
		"noise":         func([]byte, error) ([]byte, error) { return []byte{0x30, 2, 2, 9}, nil },
		"zeros":         func([]byte, error) ([]byte, error) { return make([]byte, 2*size), nil },
		"a long form": func(s []byte, _ error) ([]byte, error) {
			return append([]byte{0x30, 0x82, 0, byte(len(s) - 2)}, s[2:]...), nil
		},
		"a cut answer":  func(s []byte, _ error) ([]byte, error) { return s[:len(s)-1], nil },
		"a long answer": func(s []byte, _ error) ([]byte, error) { return append(s, 0), nil },
		"a flipped bit": func(s []byte, _ error) ([]byte, error) { s[len(s)-1] ^= 1; return s, nil },
		"s‖r": func(s []byte, _ error) ([]byte, error) {
			r := raw(s, size)
			return slices.Concat(r[size:], r[:size]), nil
		},
		"r‖s cut":        func(s []byte, _ error) ([]byte, error) { return raw(s, size)[1:], nil },
		"r‖s and a byte": func(s []byte, _ error) ([]byte, error) { return append(raw(s, size), 0), nil },
	} {
		signer, err := jot.NewSigner(keyThat(answer), jot.SignerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := signer.Sign(t.Context(), claims())
		if err == nil || raw != "" {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
		if (name == "an outage" || name == "a late outage") && !errors.Is(err, outage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A function that writes into its input, or keeps its answer, reaches no token.
func TestRemoteKeySharesNothing(t *testing.T) {
	local := signerFor(t, jot.EdDSA)
	var kept []byte
	key, err := jot.NewRemoteKey(jot.EdDSA, local.Public(), func(ctx context.Context, input []byte) ([]byte, error) {
		answer, err := service(jot.EdDSA, local)(ctx, input)
		clear(input)
		kept = answer
		return answer, err
	}, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	input := []byte("input")
	signature, err := key.SignInput(t.Context(), input)
	if err != nil || string(input) != "input" {
		t.Fatalf("%q, %v", input, err)
	}
	clear(kept)
	if !key.Public().VerifyInput(input, signature) {
		t.Error("the signature changed")
	}
}

func TestRemoteKeyGetsTheContext(t *testing.T) {
	type name struct{}
	local := signerFor(t, jot.EdDSA)
	key, err := jot.NewRemoteKey(jot.EdDSA, local.Public(), func(ctx context.Context, input []byte) ([]byte, error) {
		if ctx.Value(name{}) != "request 7" {
			return nil, errors.New("another context")
		}
		return service(jot.EdDSA, local)(ctx, input)
	}, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.SignInput(context.WithValue(t.Context(), name{}, "request 7"), []byte("input")); err != nil {
		t.Error(err)
	}
}

func TestRemoteKeyRefusals(t *testing.T) {
	p256 := signerFor(t, jot.ES256)
	good := service(jot.ES256, p256)
	for name, make := range map[string]func() (*jot.PrivateKey, error){
		"no function": func() (*jot.PrivateKey, error) {
			return jot.NewRemoteKey(jot.ES256, p256.Public(), nil, jot.KeyOptions{})
		},
		"no key":        func() (*jot.PrivateKey, error) { return jot.NewRemoteKey(jot.ES256, nil, good, jot.KeyOptions{}) },
		"a private key": func() (*jot.PrivateKey, error) { return jot.NewRemoteKey(jot.ES256, p256, good, jot.KeyOptions{}) },
		"another algorithm": func() (*jot.PrivateKey, error) {
			return jot.NewRemoteKey(jot.ES384, p256.Public(), good, jot.KeyOptions{})
		},
		"HMAC": func() (*jot.PrivateKey, error) {
			return jot.NewRemoteKey(jot.HS256, p256.Public(), good, jot.KeyOptions{})
		},
		"no algorithm": func() (*jot.PrivateKey, error) { return jot.NewRemoteKey("", p256.Public(), good, jot.KeyOptions{}) },
	} {
		if key, err := make(); err == nil || key != nil {
			t.Errorf("%s: %v", name, key)
		}
	}
}

func TestHashes(t *testing.T) {
	for alg, want := range map[jot.Algorithm]crypto.Hash{
		jot.HS512: crypto.SHA512, jot.RS256: crypto.SHA256, jot.PS384: crypto.SHA384, jot.ES512: crypto.SHA512, jot.EdDSA: 0, jot.MLDSA44: 0, "none": 0,
	} {
		if got := alg.Hash(); got != want {
			t.Errorf("%s: %v", alg, got)
		}
	}
}
