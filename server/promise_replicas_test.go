package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/pgtest"
)

// A rule that was written through one replica reaches the verifiers of all, whichever replica each of them follows.
func TestRuleReachesTheVerifiersOfAllReplicas(t *testing.T) {
	f := newFleet(t, pgtest.Database(t), 3)
	verifiers := make([]*jot.Verifier, len(f.ships))
	for n, ship := range f.ships {
		feed := httptest.NewServer(ship.Handler())
		t.Cleanup(feed.Close)
		i := ship.Issuer()
		reader, err := revocation.NewReader(revocation.ReaderOptions{URL: feed.URL + "/feed", Issuer: i.URL(), Keys: i.FeedKeySet(), Credential: fleetCredential})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { reader.Close() })
		if err := reader.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		verifiers[n], err = jot.NewVerifier(i.KeySet(), jot.VerifierOptions{Issuer: i.URL(), Audience: "petstore", Type: "at+jwt", Revocation: reader})
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 4 * len(f.ships) { // the requests go round
		subject := fmt.Sprint("subject", n)
		f.createSubject(subject)
		ended, other := f.issue(subject), f.issue(subject)
		if answer := f.post("/v1/logout", ended.Access, struct{}{}); answer.Code != http.StatusNoContent {
			t.Fatalf("log out: %d %s", answer.Code, answer.Body)
		}
		for v, verifier := range verifiers {
			eventually(t, fmt.Sprintf("the refusal by the verifier of replica %d", v), func() bool { return errors.Is(verifier.Check(t.Context(), ended.Access), jot.ErrRevoked) })
			if err := verifier.Check(t.Context(), other.Access); err != nil {
				t.Errorf("the other session, at the verifier of replica %d: %v", v, err)
			}
		}
	}
}
