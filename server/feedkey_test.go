package server_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// A reader that takes the feed's keys from their key set notices no rotation: it stays connected, and its lease holds.
// An emergency may cost it the connection, and not the lease.
func TestFeedKeyRotatesUnderAReader(t *testing.T) {
	s := newSiteOver(t, "", func(c *server.Config) { c.Issuer.KeySetMaxAge = 10 * time.Millisecond })
	keys, err := jwks.NewSource(s.url+"/feed/jwks.json", jwks.Options{MinRefresh: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	var complaints atomic.Int64 // but for a silence, which is that of a machine with too much to do
	reader, err := revocation.NewReader(revocation.ReaderOptions{
		URL: s.url + "/feed", Issuer: s.url, Keys: keys, Credential: s.credential, MaxStaleness: time.Minute, OnError: func(err error) {
			if !strings.Contains(err.Error(), "fell silent") {
				complaints.Add(1)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n, emergency := range []bool{false, false, true} {
		time.Sleep(20 * time.Millisecond) // the next key is older than KeySetMaxAge then
		heard := complaints.Load()
		before := s.server.Issuer().FeedSigner().KeyID()
		done, err := s.server.Issuer().RotateKey(t.Context(), issuer.RotateOptions{Purpose: issuer.PurposeFeed, Emergency: emergency})
		if err != nil || !done.Due.IsZero() || s.server.Issuer().FeedSigner().KeyID() == before {
			t.Fatalf("%+v, %v", done, err)
		}
		pair := s.signUpAndLogIn(t, "user"+string(rune('a'+n)))
		if status, body := s.post(t, "/v1/logout", pair.Access, struct{}{}); status != 204 {
			t.Fatalf("log out: %d %s", status, body)
		}
		verifier, err := jot.NewVerifier(s.server.Issuer(), jot.VerifierOptions{Issuer: s.url, Audience: "petstore", Type: "at+jwt", Revocation: reader})
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) { // until a frame of the new key has come
			err := verifier.Check(t.Context(), pair.Access)
			if errors.Is(err, jot.ErrRevoked) {
				break
			}
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("rotation %d, emergency %v: %v; %+v", n, emergency, err, reader.State())
			}
		}
		if state := reader.State(); state.Lease <= 0 || !emergency && complaints.Load() > heard {
			t.Errorf("rotation %d: %d complaints, %+v", n, complaints.Load()-heard, state)
		}
	}
}
