package issuer_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

func kek(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// TestNewKeyEncryptionKey: the keys are sealed anew at the start, and the old key-encryption key is of no use after
// that.
func TestNewKeyEncryptionKey(t *testing.T) {
	f := newFixture(t, config())
	tokens := f.login()
	f.config.KeyEncryptionKey, f.config.OlderKeyEncryptionKeys = kek(8), [][]byte{kek(9), kek(7)}
	f.restart()
	f.accept(tokens.Access)
	f.config.OlderKeyEncryptionKeys = nil
	f.restart()
	f.accept(f.refresh(tokens.Refresh).Access)
	f.Close()
	f.config.KeyEncryptionKey = kek(7)
	_, err := f.open(f.config)
	if err == nil || strings.Count(err.Error(), "the ID") != 2 {
		t.Errorf("error %v doesn't name both key-encryption keys", err)
	}
	f.config.OlderKeyEncryptionKeys = [][]byte{[]byte("short")}
	if err := f.config.Validate(); err == nil {
		t.Error("a short key-encryption key was taken")
	}
}

// TestRunningServersOutliveANewKeyEncryptionKey: a server that only knows the old one goes on with the keys that it
// holds.
func TestRunningServersOutliveANewKeyEncryptionKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		defer f.Close()
		changed := f.config
		changed.KeyEncryptionKey, changed.OlderKeyEncryptionKeys = kek(8), [][]byte{kek(7)}
		other, err := f.open(changed)
		f.do(err)
		defer other.Close()
		time.Sleep(11 * time.Minute)
		_, err = other.RotateKey(t.Context(), issuer.RotateOptions{}) // makes a next key that the first server can't open
		f.do(err)
		time.Sleep(2 * time.Minute)
		tokens := f.login()
		f.accept(f.refresh(tokens.Refresh).Access)
		if err := other.Verifier().Check(t.Context(), tokens.Access); err != nil {
			t.Error(err)
		}
		if len(f.published()) != 3 {
			t.Errorf("%v are published, want all three keys", f.published())
		}
	})
}

// TestNewKeyEncryptionKeyRace: several servers seal anew at once, beside one that rotates.
func TestNewKeyEncryptionKeyRace(t *testing.T) {
	f := newFixture(t, config())
	f.clock.Advance(10 * time.Minute)
	changed := f.config
	changed.KeyEncryptionKey, changed.OlderKeyEncryptionKeys = kek(8), [][]byte{kek(7)}
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			other, err := issuer.New(t.Context(), f.openStore(), changed)
			if err != nil {
				t.Error(err)
				return
			}
			other.Close()
		})
	}
	wait.Go(func() { f.rotate() })
	wait.Wait()
	f.Close()
	f.config = changed
	f.start()
	f.accept(f.login().Access)
}

// TestRotateRootKey: refresh tokens of before stay good, and those that follow are of the new key when every server
// knows it.
func TestRotateRootKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		defer f.Close()
		other, err := f.open(f.config)
		f.do(err)
		defer other.Close()
		before := f.login()
		f.do(f.RotateRootKey(t.Context()))
		version := func(token string) byte {
			b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "jrt_"))
			f.do(err)
			return b[0]
		}
		if now := f.login(); version(now.Refresh) != version(before.Refresh) {
			t.Error("a new root key is used before every server has read it")
		}
		time.Sleep(7 * time.Minute)
		after := f.login()
		if version(after.Refresh) == version(before.Refresh) {
			t.Error("the new root key isn't used")
		}
		f.Issuer = other
		f.refresh(after.Refresh)
		next := f.refresh(before.Refresh)
		f.Close()
		f.start()
		f.refresh(next.Refresh)
	})
}

// TestRotateRootKeyAfterAShorterLife: sessions that began while sessions lasted longer go on.
func TestRotateRootKeyAfterAShorterLife(t *testing.T) {
	c := config()
	c.AbsoluteTTL, c.IdleTTL = 90*24*time.Hour, 60*24*time.Hour
	f := newFixture(t, c)
	tokens := f.login()
	f.config.AbsoluteTTL = 30 * 24 * time.Hour
	f.restart()
	f.do(f.RotateRootKey(t.Context()))
	f.clock.Advance(31 * 24 * time.Hour)
	f.restart()
	f.do(f.Sweep(t.Context()))
	f.restart()
	f.refresh(tokens.Refresh)
}
