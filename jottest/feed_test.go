package jottest_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jottest"
	"github.com/jot-auth/jot/revocation"
)

// A reader that loses the feed refuses to answer when its lease is over, and comes back by itself.
func TestReaderLosesTheFeed(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	remote, raw := newProductionWith(t, issuer, 2*time.Second), issuer.Token(nil)
	issuer.FailRevocation()
	for remote.reader.State().Lease > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if err := remote.Check(t.Context(), raw); !errors.Is(err, jot.ErrUnavailable) {
		t.Errorf("without the feed: %v", err)
	}
	issuer.RevokeToken(raw)
	issuer.Recover()
	issuer.Await(remote.reader)
	err := remote.Check(t.Context(), raw)
	for errors.Is(err, jot.ErrUnavailable) { // on a busy machine so short a lease ends again now and then
		issuer.Await(remote.reader)
		err = remote.Check(t.Context(), raw)
	}
	if !errors.Is(err, jot.ErrRevoked) {
		t.Errorf("with the feed again: %v", err)
	}
}

// A reader refuses tokens from its issuer's future: Await waits until it knows of the clock's new time.
func TestReaderFollowsTheClock(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	reader, err := revocation.NewReader(issuer.ReaderOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	o := issuer.VerifierOptions()
	o.Revocation = reader
	verifier, err := jot.NewVerifier(issuer, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []time.Duration{0, time.Hour, 24 * time.Hour, -2 * time.Hour} {
		issuer.Clock.Advance(step)
		issuer.Await(reader)
		if err := verifier.Check(t.Context(), issuer.Token(nil)); err != nil {
			t.Errorf("after %v: %v", step, err)
		}
	}
}

// The feed's time goes on while the issuer's clock stands still, or every reader's lease would end.
func TestFeedTimeGoesOn(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	remote, options := newProduction(t, issuer), issuer.ReaderOptions()
	verifier, err := revocation.NewStatementVerifier(options.Keys, issuer.URL)
	if err != nil {
		t.Fatal(err)
	}
	response := ask(t, issuer.URL+"/feed/live?after=0&nonce=n&log="+remote.reader.State().LogID, issuer.FeedCredential)
	frames, last := revocation.NewFrameReader(response.Body), time.Time{}
	for range 3 {
		frame, err := frames.Next()
		if err != nil {
			t.Fatal(err)
		}
		statement, err := verifier.Verify(t.Context(), frame.Statement)
		if err != nil || !statement.Time.After(last) {
			t.Errorf("%v, at %v, after %v", err, statement.Time, last)
		}
		last = statement.Time
	}
}

func TestReaderThatIsFarBehindTakesASnapshot(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	remote := newProduction(t, issuer)
	raw := issuer.Token(nil)
	issuer.FailRevocation()
	var rules []revocation.Rule
	for n := range revocation.MaxFrameRules + 1 {
		rules = append(rules, revocation.Rule{Kind: revocation.Key, Value: fmt.Sprint("stolen-", n)})
	}
	issuer.Revoke(rules...)
	issuer.RevokeToken(raw)
	issuer.Recover()
	issuer.Await(remote.reader)
	if err := remote.Check(t.Context(), raw); !errors.Is(err, jot.ErrRevoked) {
		t.Errorf("got %v", err)
	}
}

func TestFeedRefusesStrangers(t *testing.T) {
	issuer := jottest.NewIssuer(t, petshop)
	for path, want := range map[string]int{
		"/feed/snapshot": 401, "/feed/live?after=0&log=x&nonce=n": 401, "/feed/jwks.json": 200, "/.well-known/jwks.json": 200, "/": 404,
	} {
		if status := ask(t, issuer.URL+path, "").StatusCode; status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	for _, query := range []string{"after=0&log=another&nonce=n", "after=-1", ""} {
		if status := ask(t, issuer.URL+"/feed/live?"+query, issuer.FeedCredential).StatusCode; status != http.StatusConflict {
			t.Errorf("%q: status %d, want 409", query, status)
		}
	}
}

// ask sends a bearer token. The answer's body is closed at the end of the test.
func ask(t *testing.T, address, token string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}
