package jwks

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
)

// TestCloseBetweenFetchAndWaiter closes a source whose fetch has landed before a caller that waited for it goes on.
func TestCloseBetweenFetchAndWaiter(t *testing.T) {
	source, err := NewSource("https://auth.example.com/keys", Options{})
	if err != nil {
		t.Fatal(err)
	}
	landed := &flight{}
	source.Close()
	if err := source.settle(landed, jot.EdDSA, "a"); err != errClosed {
		t.Errorf("%v, want %v", err, errClosed)
	}
}

// once is a transport that answers one request with a key set and fails from then on.
type once struct{ body string }

func (o *once) RoundTrip(*http.Request) (*http.Response, error) {
	if o.body == "" {
		return nil, io.ErrUnexpectedEOF
	}
	response := &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Cache-Control": {"max-age=60"}}, Body: io.NopCloser(strings.NewReader(o.body)),
	}
	o.body = ""
	return response, nil
}

// TestKnownKeyTakesNoLock looks keys up while the lock is held: a look-up that wanted it would never return.
func TestKnownKeyTakesNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, err := jot.GenerateKey(jot.EdDSA)
		if err != nil {
			t.Fatal(err)
		}
		body, err := jot.NewKeySet(key.Public()).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		source, err := NewSource("https://auth.example.com/keys", Options{Client: &http.Client{Transport: &once{string(body)}}})
		if err != nil {
			t.Fatal(err)
		}
		lookUp := func() {
			if keys, err := source.VerificationKeys(t.Context(), jot.EdDSA, key.KeyID()); len(keys) != 1 || err != nil {
				t.Fatal(keys, err)
			}
		}
		lookUpLocked := func() {
			source.mu.Lock()
			defer source.mu.Unlock()
			lookUp()
		}
		lookUp()
		lookUpLocked()

		time.Sleep(time.Minute)
		lookUp() // waits for the refresh that fails
		time.Sleep(9 * time.Second)
		lookUpLocked() // stale, until the next attempt
	})
}
