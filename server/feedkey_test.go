package server_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// A reader that takes the feed's keys from their key set notices no rotation: it stays connected, and its lease holds. An emergency may cost it the
// connection, and not the lease.
func TestFeedKeyRotatesUnderAReader(t *testing.T) {
	s := newSiteOver(t, "", func(c *server.Config) { c.Issuer.KeySetMaxAge = 10 * time.Millisecond })
	keys, err := jwks.NewSource(s.url+"/feed/jwks.json", jwks.Options{MinRefresh: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	reader, err := revocation.NewReader(revocation.ReaderOptions{URL: s.url + "/feed", Issuer: s.url, Keys: keys, Credential: s.credential})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	since := reader.State().ConnectedSince
	for n, emergency := range []bool{false, false, true} {
		time.Sleep(20 * time.Millisecond) // the next key is older than KeySetMaxAge then
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
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) { // until a frame of the new key has come
			err := verifier.Check(t.Context(), pair.Access)
			if errors.Is(err, jot.ErrRevoked) {
				break
			}
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("rotation %d, emergency %v: %v; %+v", n, emergency, err, reader.State())
			}
		}
		if state := reader.State(); state.Lease <= 0 || !emergency && (state.LastError != nil || !state.ConnectedSince.Equal(since)) {
			t.Errorf("rotation %d: %+v", n, state)
		}
	}
}
