package jwe_test

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
)

// remoteDecrypter and remoteExchanger stand for keys in an HSM.
type remoteDecrypter struct{ key *rsa.PrivateKey }

func (r remoteDecrypter) Public() crypto.PublicKey {
	if r.key == nil {
		return nil
	}
	return r.key.Public()
}

func (r remoteDecrypter) Decrypt(random io.Reader, message []byte, o crypto.DecrypterOpts) ([]byte, error) {
	return r.key.Decrypt(random, message, o)
}

type remoteExchanger struct {
	key   *ecdh.PrivateKey
	curve ecdh.Curve
}

func (r remoteExchanger) PublicKey() *ecdh.PublicKey { return r.key.PublicKey() }
func (r remoteExchanger) Curve() ecdh.Curve          { return r.curve }

func (r remoteExchanger) ECDH(other *ecdh.PublicKey) ([]byte, error) { return r.key.ECDH(other) }

// nowhere is a key whose holder has lost it.
type nowhere struct{ remoteExchanger }

func (nowhere) PublicKey() *ecdh.PublicKey { return nil }

func TestRemoteKeys(t *testing.T) {
	p384, _ := ecdh.P384().GenerateKey(rand.Reader)
	exchanger := remoteExchanger{p384, ecdh.P384()}
	keys := map[string]func() (*jwe.PrivateKey, error){
		"crypto.Decrypter, SHA-1": func() (*jwe.PrivateKey, error) {
			return jwe.NewPrivateKey(jwe.RSA_OAEP, remoteDecrypter{privateRSA()}, jwe.KeyOptions{})
		},
		"crypto.Decrypter": func() (*jwe.PrivateKey, error) {
			return jwe.NewPrivateKey(jwe.RSA_OAEP_256, remoteDecrypter{privateRSA()}, jwe.KeyOptions{})
		},
		"ecdh.KeyExchanger": func() (*jwe.PrivateKey, error) { return jwe.NewPrivateKey(jwe.ECDH_ES, exchanger, jwe.KeyOptions{}) },
		"ecdh.KeyExchanger that wraps": func() (*jwe.PrivateKey, error) {
			return jwe.NewPrivateKey(jwe.ECDH_ES_A256KW, exchanger, jwe.KeyOptions{})
		},
		"DecrypterFunc": func() (*jwe.PrivateKey, error) { return remoteRSA(decryptHere(t)) },
		"ExchangerFunc": func() (*jwe.PrivateKey, error) {
			exchange := func(_ context.Context, ephemeral *ecdh.PublicKey) ([]byte, error) { return p384.ECDH(ephemeral) }
			return jwe.NewRemoteECDHKey(jwe.ECDH_ES, p384.PublicKey(), exchange, jwe.KeyOptions{})
		},
	}
	for name, made := range keys {
		key, err := made()
		if err != nil {
			t.Fatal(name, err)
		}
		decrypt(t, jwe.DecrypterOptions{}, encrypt(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, key.Public()), "content"), key)
		if _, err := key.ExportJWK(); err == nil {
			t.Errorf("%s: %v was exported", name, key)
		}
		if _, err := key.ExportPEM(); err == nil {
			t.Errorf("%s: %v was exported", name, key)
		}
	}
}

// decryptHere is the holder of the key of RFC 7516, appendix A.1.
func decryptHere(t testing.TB) jwe.DecrypterFunc {
	t.Helper()
	return func(_ context.Context, encryptedKey []byte) ([]byte, error) {
		return privateRSA().Decrypt(nil, encryptedKey, &rsa.OAEPOptions{Hash: crypto.SHA256})
	}
}

func remoteRSA(decrypt jwe.DecrypterFunc) (*jwe.PrivateKey, error) {
	return jwe.NewRemoteRSAKey(jwe.RSA_OAEP_256, privateRSA().Public(), decrypt, jwe.KeyOptions{})
}

func TestNewRemoteKeyRefuses(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	x25519, _ := ecdh.X25519().GenerateKey(rand.Reader)
	exchange := func(context.Context, *ecdh.PublicKey) ([]byte, error) { return nil, nil }
	for name, made := range map[string]func() (*jwe.PrivateKey, error){
		"no decrypting function": func() (*jwe.PrivateKey, error) { return remoteRSA(nil) },
		"no agreeing function": func() (*jwe.PrivateKey, error) {
			return jwe.NewRemoteECDHKey(jwe.ECDH_ES, p256.Public(), nil, jwe.KeyOptions{})
		},
		"RSA for ECDH": func() (*jwe.PrivateKey, error) {
			return jwe.NewRemoteRSAKey(jwe.ECDH_ES, p256.Public(), decryptHere(t), jwe.KeyOptions{})
		},
		"RSA with a point": func() (*jwe.PrivateKey, error) {
			return jwe.NewRemoteRSAKey(jwe.RSA_OAEP_256, p256.Public(), decryptHere(t), jwe.KeyOptions{})
		},
		"ECDH for RSA": func() (*jwe.PrivateKey, error) {
			return jwe.NewRemoteECDHKey(jwe.RSA_OAEP_256, privateRSA().Public(), exchange, jwe.KeyOptions{})
		},
		"ECDH without a point": func() (*jwe.PrivateKey, error) {
			return jwe.NewRemoteECDHKey(jwe.ECDH_ES, nil, exchange, jwe.KeyOptions{})
		},
		"a secret key": func() (*jwe.PrivateKey, error) {
			return jwe.NewRemoteRSAKey(jwe.A256KW, privateRSA().Public(), decryptHere(t), jwe.KeyOptions{})
		},
		"of two curves": func() (*jwe.PrivateKey, error) {
			return jwe.NewPrivateKey(jwe.ECDH_ES, remoteExchanger{x25519, ecdh.P256()}, jwe.KeyOptions{})
		},
		"of no curve": func() (*jwe.PrivateKey, error) {
			return jwe.NewPrivateKey(jwe.ECDH_ES, nowhere{remoteExchanger{x25519, ecdh.X25519()}}, jwe.KeyOptions{})
		},
	} {
		if key, err := made(); err == nil || key != nil || !strings.HasPrefix(err.Error(), "jwe: ") {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

// What the holder of a key says, and what it isn't asked.
func TestRemoteAnswers(t *testing.T) {
	good := encrypt(t, newEncrypter(t, jwe.A128CBC_HS256, jwe.EncrypterOptions{}, remote(t, decryptHere(t)).Public()), "content")
	parts := strings.Split(good, ".")
	asked := func(answer []byte, err error) jwe.DecrypterFunc {
		return func(context.Context, []byte) ([]byte, error) { return answer, err }
	}
	for name, decrypt := range map[string]jwe.DecrypterFunc{
		"an error":   asked(nil, errors.New("out of order")),
		"nothing":    asked(nil, nil),
		"a byte":     asked([]byte{1}, nil),
		"zeros":      asked(make([]byte, 32), nil),
		"too much":   asked(make([]byte, 64), nil),
		"a deadline": asked(nil, context.DeadlineExceeded),
	} {
		refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, remote(t, decrypt)), name, good)
	}
	indulgent := remote(t, func(ctx context.Context, encryptedKey []byte) ([]byte, error) {
		return decryptHere(t)(ctx, encryptedKey[:256])
	})
	parts[1] += "AAAA"
	refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, indulgent), "a longer encrypted key", strings.Join(parts, "."))
	greedy := remote(t, func(ctx context.Context, encryptedKey []byte) ([]byte, error) {
		defer clear(encryptedKey)
		return decryptHere(t)(ctx, encryptedKey)
	})
	decrypt(t, jwe.DecrypterOptions{}, good, greedy)
}

func remote(t testing.TB, decrypt jwe.DecrypterFunc) *jwe.PrivateKey {
	t.Helper()
	key, err := remoteRSA(decrypt)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Nor is whoever holds a key for ECDH trusted, however the key was made: the message is what anybody can write who
// knows the answer.
func TestRemoteZeros(t *testing.T) {
	for _, curve := range []ecdh.Curve{ecdh.P256(), ecdh.X25519()} {
		made, _ := curve.GenerateKey(rand.Reader)
		zeros := func(context.Context, *ecdh.PublicKey) ([]byte, error) { return make([]byte, 32), nil }
		asked, err := jwe.NewRemoteECDHKey(jwe.ECDH_ES, made.PublicKey(), zeros, jwe.KeyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		held, err := jwe.NewPrivateKey(jwe.ECDH_ES, zeroExchanger{remoteExchanger{made, curve}}, jwe.KeyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		message, err := jwe.ForgeAgreedForTest(asked.Public(), make([]byte, 32), "content")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []*jwe.PrivateKey{asked, held} {
			refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, key), fmt.Sprint(curve), message)
		}
		honest, err := jwe.NewRemoteECDHKey(jwe.ECDH_ES, made.PublicKey(), func(context.Context, *ecdh.PublicKey) ([]byte, error) {
			return append(make([]byte, 31), 1), nil
		}, jwe.KeyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if message, err = jwe.ForgeAgreedForTest(honest.Public(), append(make([]byte, 31), 1), "content"); err != nil {
			t.Fatal(err)
		}
		decrypt(t, jwe.DecrypterOptions{}, message, honest)
	}
}

// zeroExchanger agrees on nothing with everybody.
type zeroExchanger struct{ remoteExchanger }

func (zeroExchanger) ECDH(*ecdh.PublicKey) ([]byte, error) { return make([]byte, 32), nil }

// A holder that can't be asked says nothing of the message, and nothing of itself gets out.
func TestRemoteUnavailable(t *testing.T) {
	down := func(context.Context, []byte) ([]byte, error) {
		return nil, fmt.Errorf("10.0.0.7: %w", jot.ErrUnavailable)
	}
	key, other := remote(t, down), secretKey(t, jwe.A256KW)
	d := newDecrypter(t, jwe.DecrypterOptions{}, key, other)
	alone := encrypt(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, key.Public()), "content")
	message, err := d.Decrypt(t.Context(), []byte(alone))
	if message != nil || err != jwe.ErrUnavailable || !errors.Is(err, jot.ErrUnavailable) || errors.Is(err, jot.ErrInvalidToken) {
		t.Errorf("%v, %v", message, err)
	}
	if _, err := d.OpenToken(t.Context(), newHouse(t).verifier, alone); err != jwe.ErrUnavailable {
		t.Errorf("as a token: %v", err)
	}
	both := encryptJSON(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, key.Public(), other), "content", "")
	if message, err := d.Decrypt(t.Context(), []byte(both)); err != nil || message.KeyID() != other.KeyID() {
		t.Errorf("with another key: %v, %v", message, err)
	}
}

// A context that ended is no verdict on the message, whenever it ended, and the holder of a key gets it.
func TestContext(t *testing.T) {
	h := newHouse(t)
	ended, end := context.WithCancel(t.Context())
	ending, stop := context.WithCancel(t.Context())
	slow := remote(t, func(ctx context.Context, _ []byte) ([]byte, error) {
		stop()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	end()
	for name, test := range map[string]struct {
		ctx context.Context
		key *jwe.PrivateKey
	}{"before": {ended, h.recipient}, "meanwhile": {ending, slow}} {
		e := newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, test.key.Public())
		raw, err := e.SealToken(t.Context(), h.signer, claims())
		if err != nil {
			t.Fatal(err)
		}
		d := newDecrypter(t, jwe.DecrypterOptions{}, test.key)
		if message, err := d.Decrypt(test.ctx, []byte(raw)); message != nil || !errors.Is(err, context.Canceled) || errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("%s: %v, %v", name, message, err)
		}
		if token, err := d.OpenToken(test.ctx, h.verifier, raw); token != nil || !errors.Is(err, context.Canceled) || errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("%s: %v, %v", name, token, err)
		}
	}
	refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, h.recipient), "no message at all", "")
	if _, err := newDecrypter(t, jwe.DecrypterOptions{}, h.recipient).Decrypt(ended, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("no message, after the end: %v", err)
	}
}
