package issuer_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func newKey(t *testing.T, a jot.Algorithm) *jot.PrivateKey {
	t.Helper()
	key, err := jot.GenerateKey(a)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestImportKey: a key from PEM and one from a JWK are published, and then sign.
func TestImportKey(t *testing.T) {
	for name, export := range map[string]func(*jot.PrivateKey) ([]byte, error){"PEM": (*jot.PrivateKey).ExportPEM, "JWK": (*jot.PrivateKey).ExportJWK} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			old, unused := f.active(), f.next()
			text, err := export(newKey(t, jot.ES256))
			f.do(err)
			key, err := jot.ParsePrivateKey(text, jot.ParseOptions{Algorithm: jot.ES256})
			f.do(err)
			f.clock.Advance(10 * time.Minute)
			f.do(f.ImportKey(t.Context(), key))
			if got := f.published(); !slices.Equal(got, []string{old, key.KeyID()}) {
				t.Errorf("%v are published, want %s and %s", got, old, key.KeyID())
			}
			if r := f.rotate(); r.Due.IsZero() {
				t.Errorf("rotation %+v, before verifiers hold the key", r)
			}
			f.restart()
			f.clock.Advance(10 * time.Minute)
			f.rotate()
			if active := f.active(); active != key.KeyID() {
				t.Errorf("%s signs, want %s", active, key.KeyID())
			}
			if err := f.ImportKey(t.Context(), key); !errors.Is(err, issuer.ErrTaken) {
				t.Errorf("the same key again: error %v, want ErrTaken", err)
			}
			if slices.Contains(f.published(), unused) {
				t.Error("the next key of before is still published")
			}
		})
	}
}

func TestBadImports(t *testing.T) {
	f := newFixture(t, config())
	var input *issuer.InputError
	for name, key := range map[string]*jot.PrivateKey{
		"none": nil, "not in use": newKey(t, jot.EdDSA), "foreign": newKey(t, jot.ES384),
	} {
		if err := f.ImportKey(t.Context(), key); !errors.As(err, &input) {
			t.Errorf("%s: error %v, want an InputError", name, err)
		}
	}
	key := newKey(t, jot.ES256)
	f.do(f.ImportKey(t.Context(), key))
	f.do(f.RevokeKey(t.Context(), key.KeyID()))
	text, err := key.ExportPEM()
	f.do(err)
	renamed, err := jot.ParsePrivateKey(text, jot.ParseOptions{Algorithm: jot.ES256, KeyID: "other"})
	f.do(err)
	for name, key := range map[string]*jot.PrivateKey{"revoked": key, "revoked, renamed": renamed} {
		if err := f.ImportKey(t.Context(), key); !errors.Is(err, issuer.ErrTaken) {
			t.Errorf("%s: error %v, want ErrTaken", name, err)
		}
	}
}

// TestImportRace: of many imports there is one next key.
func TestImportRace(t *testing.T) {
	f := newFixture(t, config())
	key := newKey(t, jot.ES256)
	var taken atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if err := f.ImportKey(t.Context(), key); errors.Is(err, issuer.ErrTaken) {
				taken.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if taken.Load() != 7 || len(f.published()) != 2 {
		t.Errorf("%d imports were refused, %v are published", taken.Load(), f.published())
	}
}

// importedKey imports a key, and returns what signs access tokens of client_web's with it, as what signed with it
// before does: with these claims beside the ones that all have.
func (f *fixture) importedKey() (sign func(more map[string]any) string) {
	f.Helper()
	key, err := jot.GenerateKey(jot.ES256)
	f.do(err)
	f.do(f.ImportKey(f.Context(), key))
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
	f.do(err)
	return func(more map[string]any) string {
		f.Helper()
		now := f.clock.Now().Unix()
		claims := map[string]any{"iss": f.URL(), "sub": "ann", "aud": "petstore", "client_id": "client_web", "iat": now, "exp": now + 60, "gen": 1}
		maps.Copy(claims, more)
		raw, err := signer.Sign(f.Context(), claims)
		f.do(err)
		return raw
	}
}

// safe is a key management service of one key.
type safe struct {
	key   *jot.PrivateKey
	err   error
	other bool // signs something else
	calls atomic.Int32
}

func newSafe(t *testing.T) (*safe, *jot.PrivateKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := new(safe)
	if s.key, err = jot.NewPrivateKey(jot.ES256, private, jot.KeyOptions{}); err != nil {
		t.Fatal(err)
	}
	key, err := jot.NewRemoteKey(jot.ES256, &private.PublicKey, func(ctx context.Context, input []byte) ([]byte, error) {
		s.calls.Add(1)
		if s.other {
			input = bytes.ToUpper(input)
		}
		if s.err != nil {
			return nil, s.err
		}
		return s.key.SignInput(ctx, input)
	}, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s, key
}

// TestRemoteKey: the database holds the public half and the state, and each signature comes from elsewhere and is
// verified.
func TestRemoteKey(t *testing.T) {
	f := newFixture(t, config())
	vault, key := newSafe(t)
	f.do(f.ImportKey(t.Context(), key))
	f.clock.Advance(10 * time.Minute)
	f.rotate()
	tokens := f.login()
	if token := f.accept(tokens.Access); token.KeyID() != key.KeyID() || vault.calls.Load() < 2 {
		t.Errorf("key %s signed", token.KeyID())
	}

	f.Close()
	if _, err := f.open(f.config); err == nil || !strings.Contains(err.Error(), "RemoteKeys") || !strings.Contains(err.Error(), key.KeyID()) {
		t.Fatalf("without the function: error %v", err)
	}
	f.config.RemoteKeys = []*jot.PrivateKey{key}
	f.start()
	f.accept(f.login().Access)

	vault.err = errors.New("no answer")
	if _, err := f.tryRefresh(tokens.Refresh); !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("a service that is down: error %v, want ErrUnavailable", err)
	}
	vault.err, vault.other = nil, true
	if _, err := f.tryRefresh(tokens.Refresh); err == nil {
		t.Error("a signature of something else left the issuer")
	}
	vault.other = false
	next := f.refresh(tokens.Refresh) // within the grace window: nothing was lost
	f.accept(next.Access)
	vault.err = errors.New("no answer")
	if _, err := f.tryRefresh(next.Refresh); !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("down again: error %v, want ErrUnavailable", err)
	}
	vault.err = nil
	f.clock.Advance(time.Minute)
	f.refresh(f.refresh(next.Refresh).Refresh) // after it the answer was lost: the token that nobody saw is burned, and another follows
	f.clock.Advance(10 * time.Minute)
	f.rotate()
	f.config.RemoteKeys = nil
	f.restart() // a retiring key signs no more
	f.accept(f.login().Access)

	broken, key := newSafe(t)
	broken.err = errors.New("no answer")
	if err := f.ImportKey(t.Context(), key); err == nil {
		t.Error("a remote key that doesn't sign was imported")
	}
}
