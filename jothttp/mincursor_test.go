package jothttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

// following is a Follower that knows the rules of "log" up to 5, and 6 when the first request has waited for it.
type following struct {
	asked    int
	deadline time.Duration
	refused  bool // tokens, since rule 6
}

func (f *following) AwaitSequence(ctx context.Context, logID string, sequence uint64) error {
	f.asked++
	if at, ok := ctx.Deadline(); ok {
		f.deadline = time.Until(at)
	}
	switch {
	case logID != "log" || sequence > 6:
		return fmt.Errorf("not known: %w", jot.ErrUnavailable)
	case sequence == 6:
		f.refused = true
	}
	return nil
}

func (f *following) CheckRevocation(context.Context, *jot.RevocationFacts) (jot.Verdict, error) {
	if f.refused {
		return jot.Revoked, nil
	}
	return jot.Current, nil
}

func TestMinCursor(t *testing.T) {
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signer.Sign(t.Context(), map[string]any{"iss": "https://auth.example.com", "aud": "api", "sub": "ann", "exp": time.Now().Add(time.Minute).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cursors []string
		status  int
		asked   int
	}{
		{nil, 200, 0}, {[]string{"log:5"}, 200, 1}, {[]string{"log:0"}, 200, 1}, {[]string{"log:7"}, 503, 1}, {[]string{"other:1"}, 503, 1},
		{[]string{"log:6"}, 401, 1}, // the rule that was waited for counts
		{[]string{""}, 400, 0}, {[]string{"log"}, 400, 0}, {[]string{":5"}, 400, 0}, {[]string{"log:"}, 400, 0}, {[]string{"log:05"}, 400, 0},
		{[]string{"log:-1"}, 400, 0}, {[]string{"log:+1"}, 400, 0}, {[]string{"log:18446744073709551616"}, 400, 0}, {[]string{"l og:5"}, 400, 0},
		{[]string{"log:5:5"}, 400, 0}, {[]string{"log:5", "log:5"}, 400, 0}, {[]string{strings.Repeat("a", 129) + ":5"}, 400, 0},
	} {
		follower := &following{}
		verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{Issuer: "https://auth.example.com", Audience: "api", Type: "at+jwt", Revocation: follower})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(token string, f jothttp.Follower) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			for _, cursor := range c.cursors {
				r.Header.Add(jothttp.MinCursorHeader, cursor)
			}
			answer := httptest.NewRecorder()
			jothttp.Options{Verifier: verifier, Follower: f}.Protect()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(answer, r)
			return answer
		}
		answer := ask(raw, follower)
		if retry := answer.Header().Get("Retry-After"); answer.Code != c.status || follower.asked != c.asked || (retry != "") != (c.status == 503) || follower.deadline > time.Second {
			t.Errorf("%q: %d, want %d; asked %d times, Retry-After %q", c.cursors, answer.Code, c.status, follower.asked, retry)
		}
		if c.asked == 0 {
			continue
		}
		follower.refused = false
		if answer := ask(raw+"x", follower); answer.Code != http.StatusUnauthorized || follower.asked != c.asked {
			t.Errorf("%q: somebody without a token is answered %d, and waits: %v", c.cursors, answer.Code, follower.asked != c.asked)
		}
		if answer := ask(raw, nil); answer.Code != http.StatusNotImplemented {
			t.Errorf("%q: without a follower: %d", c.cursors, answer.Code)
		}
	}
}
