package jwks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
)

const setURL = "https://auth.example.com/.well-known/jwks.json"

// issuer answers requests for its key set within the process. It is an http.RoundTripper, so that tests can run in a
// bubble with a fake clock.
type issuer struct {
	requests atomic.Int32

	mu    sync.Mutex
	serve http.HandlerFunc
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.requests.Add(1)
	i.mu.Lock()
	serve := i.serve
	i.mu.Unlock()
	w := httptest.NewRecorder()
	serve(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response := w.Result()
	response.Request = r
	return response, nil
}

// answer changes what the issuer serves from now on.
func (i *issuer) answer(serve http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.serve = serve
}

// expect fails the test unless the issuer has had n requests.
func (i *issuer) expect(t *testing.T, n int32) {
	t.Helper()
	if got := i.requests.Load(); got != n {
		t.Fatalf("%d requests, want %d", got, n)
	}
}

// source makes a source that reads from the issuer and closes with the test.
func (i *issuer) source(t *testing.T, o jwks.Options) *jwks.Source {
	t.Helper()
	o.Client = &http.Client{Transport: i}
	s, err := jwks.NewSource(setURL, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// publish makes an issuer with these keys and Cache-Control.
func publish(t *testing.T, cacheControl string, keys ...*jot.PublicKey) *issuer {
	t.Helper()
	i := &issuer{}
	i.answer(set(t, cacheControl, keys...))
	return i
}

// set serves a key set.
func set(t *testing.T, cacheControl string, keys ...*jot.PublicKey) http.HandlerFunc {
	t.Helper()
	body, err := json.Marshal(jot.NewKeySet(keys...))
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", cacheControl)
		w.Write(body)
	}
}

// broken serves nothing but failures.
func broken(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }

// hanging answers nothing until the client gives up.
func hanging(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func newKey(t *testing.T, id string) *jot.PublicKey {
	t.Helper()
	private, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	return edited(t, private.Public(), "kid", id)
}

// edited is a key with another value of one member.
func edited(t *testing.T, key *jot.PublicKey, member, value string) *jot.PublicKey {
	t.Helper()
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	var jwk map[string]any
	if err := json.Unmarshal(text, &jwk); err != nil {
		t.Fatal(err)
	}
	jwk[member] = value
	if text, err = json.Marshal(jwk); err != nil {
		t.Fatal(err)
	}
	if key, err = jot.ParsePublicKey(text, jot.ParseOptions{}); err != nil {
		t.Fatal(err)
	}
	return key
}

// lookUp asks for one key and describes the answer: its ID, "none", or "error".
func lookUp(s *jwks.Source, kid string) (string, error) {
	keys, err := s.VerificationKeys(context.Background(), jot.EdDSA, kid)
	switch {
	case err != nil:
		return "error", err
	case len(keys) == 0:
		return "none", nil
	default:
		return keys[0].KeyID(), nil
	}
}

// want fails the test unless a look-up has this answer.
func want(t *testing.T, s *jwks.Source, kid, answer string) {
	t.Helper()
	if got, err := lookUp(s, kid); got != answer {
		t.Fatalf("look-up of %q: %s (%v), want %s", kid, got, err, answer)
	}
}

// manyKeys is the text of a set with n keys, all alike but for their IDs.
func manyKeys(t *testing.T, n int) string {
	t.Helper()
	text := ""
	for i := range n {
		key, err := json.Marshal(newKey(t, fmt.Sprint("key-", i)))
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			text += ","
		}
		text += string(key)
	}
	return `{"keys":[` + text + `]}`
}
