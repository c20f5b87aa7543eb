package issuer_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func (f *fixture) rotateWith(o issuer.RotateOptions) issuer.Rotation {
	f.Helper()
	r, err := f.RotateKey(f.Context(), o)
	f.do(err)
	return r
}

// TestRehearsedRotation: a dry run says what the rotation then does, and changes nothing.
func TestRehearsedRotation(t *testing.T) {
	f := newFixture(t, config())
	old, next, start := f.active(), f.next(), f.clock.Now()
	before := f.published()
	rehearse := func(o issuer.RotateOptions) issuer.Rotation {
		t.Helper()
		o.DryRun = true
		r := f.rotateWith(o)
		if !slices.Equal(f.published(), before) || f.active() != old {
			t.Fatal("a rehearsal changed the keys")
		}
		return r
	}
	if r := rehearse(issuer.RotateOptions{}); r != (issuer.Rotation{Purpose: issuer.PurposeAccess, Algorithm: jot.ES256, Active: old, Next: next, Due: start.Add(10 * time.Minute), Published: 2, Limit: 8}) {
		t.Errorf("too young: %+v", r)
	}
	if r := rehearse(issuer.RotateOptions{Emergency: true}); r != (issuer.Rotation{Purpose: issuer.PurposeAccess, Algorithm: jot.ES256, Active: next, Revoked: old, Published: 2, Limit: 8}) {
		t.Errorf("emergency: %+v", r)
	}
	f.clock.Advance(10 * time.Minute)
	planned := rehearse(issuer.RotateOptions{})
	if planned != (issuer.Rotation{Purpose: issuer.PurposeAccess, Algorithm: jot.ES256, Active: next, Retiring: old, RetiringUntil: f.clock.Now().Add(30 * time.Minute), Published: 3, Limit: 8}) {
		t.Errorf("in time: %+v", planned)
	}
	done := f.rotate()
	planned.Next = done.Next
	if done != planned || done.Next == "" || len(f.published()) != done.Published {
		t.Errorf("rotation %+v, rehearsed as %+v", done, planned)
	}
}

// TestRehearsedLimit: a rehearsal tells of the limit, too.
func TestRehearsedLimit(t *testing.T) {
	c := config()
	c.KeySetMaxAge = time.Minute
	f := newFixture(t, c)
	for range 6 {
		f.clock.Advance(time.Minute)
		f.rotate()
	}
	f.clock.Advance(time.Minute)
	for _, dry := range []bool{true, false} {
		if _, err := f.RotateKey(t.Context(), issuer.RotateOptions{DryRun: dry}); !errors.Is(err, issuer.ErrKeyLimit) {
			t.Errorf("dry %v: error %v, want ErrKeyLimit", dry, err)
		}
	}
	f.clock.Advance(24 * time.Minute) // the first one's last token expires
	if r := f.rotateWith(issuer.RotateOptions{DryRun: true}); r.Published != 8 {
		t.Errorf("rotation %+v", r)
	}
	if r := f.rotate(); r.Published != 8 || len(f.published()) != 8 {
		t.Errorf("rotation %+v, %d keys are published", r, len(f.published()))
	}
}

// TestEmergency: the next key signs at once, and what the old one verifies is refused.
func TestEmergency(t *testing.T) {
	f := newFixture(t, config())
	old, next := f.active(), f.next()
	tokens := f.login()
	r := f.rotateWith(issuer.RotateOptions{Emergency: true})
	if r.Active != next || r.Revoked != old || r.Next == "" || !slices.Equal(f.published(), []string{next, r.Next}) {
		t.Errorf("rotation %+v, %v are published", r, f.published())
	}
	f.refuse(tokens.Access, jot.ErrUnknownKey)
	f.accept(f.refresh(tokens.Refresh).Access)
	if active := f.rules(); len(active) != 1 || active[0].Value != old {
		t.Errorf("rules %+v", active)
	}
}

// signedWith reads the key ID in a token's header, whether or not the token is good.
func signedWith(access string) (string, error) {
	encoded, _, _ := strings.Cut(access, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	var header struct {
		KeyID string `json:"kid"`
	}
	err = json.Unmarshal(text, &header)
	return header.KeyID, err
}

// TestLoginsAlongsideRotations: 200 logins in parallel with 20 rotations. None fails, and no token bears the ID of a
// key that isn't in the key set at that moment.
func TestLoginsAlongsideRotations(t *testing.T) {
	c := config()
	c.KeySetMaxAge = time.Millisecond
	for n := range c.Resources {
		c.Resources[n].AccessTTL = time.Second
	}
	f := newFixture(t, c)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 25 {
				tokens, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann"})
				if err != nil {
					t.Error(err)
					return
				}
				published := f.published() // the token was made before: its key must still be there
				if kid, err := signedWith(tokens.Access); err != nil || !slices.Contains(published, kid) {
					t.Errorf("key %s isn't in the key set %v: %v", kid, published, err)
				}
			}
		})
	}
	wait.Go(func() {
		for range 20 {
			f.clock.Advance(3 * time.Minute) // a sixth of the time for which a key retires
			if _, err := f.RotateKey(t.Context(), issuer.RotateOptions{}); err != nil {
				t.Error(err)
			}
		}
	})
	wait.Wait()
}

// TestAlgorithmChangedWhenARotationIsDue: the key that nobody asks for any more signs until those of the new algorithm
// are old enough, and is given up then.
func TestAlgorithmChangedWhenARotationIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		f.do(f.Close())
		f.config.Algorithm = jot.EdDSA
		const month = 31 * 24 * time.Hour
		for n, step := range []struct {
			off, on time.Duration
			want    jot.Algorithm
		}{{month, time.Minute, jot.ES256}, {0, time.Hour, jot.EdDSA}, {month, time.Hour, jot.EdDSA}} {
			time.Sleep(step.off)
			f.start()
			time.Sleep(step.on)
			if token := f.accept(f.login().Access); token.Algorithm() != step.want {
				t.Errorf("step %d: %s signs, want %s", n, token.Algorithm(), step.want)
			}
			f.do(f.Close())
		}
		f.start()
		defer f.Close()
		for _, key := range f.KeySet().Keys() {
			if key.Algorithm() != jot.EdDSA {
				t.Errorf("%s is still published", key.Algorithm())
			}
		}
	})
}
