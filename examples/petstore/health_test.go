package petstore_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/examples/petstore"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/jottest"
	"github.com/jot-auth/jot/revocation"
)

// unreachable is a network without a way.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no way") }

// following makes a store that follows the issuer's feed.
func following(t *testing.T, issuer *jottest.Issuer, o revocation.ReaderOptions) (http.Handler, *revocation.Reader) {
	t.Helper()
	feed, err := revocation.NewReader(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { feed.Close() })
	options := issuer.VerifierOptions()
	options.Revocation = feed
	verifier, err := jot.NewVerifier(issuer, options)
	if err != nil {
		t.Fatal(err)
	}
	return petstore.FollowingHandler(verifier, feed), feed
}

// get asks for a path, with a token and a cursor where they aren't empty.
func get(h http.Handler, path, token, cursor string) *httptest.ResponseRecorder {
	request, response := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if cursor != "" {
		request.Header.Set(jothttp.MinCursorHeader, cursor)
	}
	h.ServeHTTP(response, request)
	return response
}

func TestHealth(t *testing.T) {
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
	token := issuer.Token(jottest.Claims{"sub": "ada", "scope": "pets:read"})
	h, feed := following(t, issuer, issuer.ReaderOptions())
	issuer.RevokeToken(issuer.Token(jottest.Claims{"sub": "bob"}))
	issuer.Await(feed)
	var told struct {
		Connection               string
		LeaseSeconds, LagSeconds float64
		Rules                    int
	}
	response := get(h, "/health", "", "")
	err := json.Unmarshal(response.Body.Bytes(), &told)
	if err != nil || response.Code != 200 || told.Connection != "stream" || told.LeaseSeconds <= 0 || told.LagSeconds < 0 || told.Rules != 1 {
		t.Errorf("%d %s, %v", response.Code, response.Body, err)
	}

	at := revocation.Cursor{LogID: feed.State().LogID, Sequence: feed.State().Sequence}
	if response := get(h, "/pets/1", token, at.String()); response.Code != 200 {
		t.Errorf("with rules that are known: %d", response.Code)
	}
	at.Sequence++
	if response := get(h, "/pets/1", token, at.String()); response.Code != 503 || response.Header().Get("Retry-After") == "" {
		t.Errorf("with rules that are not known yet: %d %v", response.Code, response.Header())
	}

	o := issuer.ReaderOptions()
	o.Client = &http.Client{Transport: unreachable{}}
	h, _ = following(t, issuer, o)
	if response := get(h, "/health", "", ""); response.Code != 503 || response.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("without the feed: %d %s", response.Code, response.Body)
	}
}
