package jwks_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
)

// Whoever remembers what a key verified goes by the key's pointer: it stays while the key does, and no longer.
func TestUnchangedKeysKeepTheirPointers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, other := newKey(t, "a"), newKey(t, "b"), newKey(t, "a")
		issuer := publish(t, "max-age=60", a, b)
		source := issuer.source(t, jwks.Options{})
		pointer := func(kid string) jot.VerificationKey {
			keys, err := source.VerificationKeys(t.Context(), jot.EdDSA, kid)
			if err != nil || len(keys) != 1 {
				t.Fatalf("%s: %v, %v", kid, keys, err)
			}
			return keys[0]
		}
		renamed := edited(t, b, "alg", "Ed25519")
		firstA, firstB := pointer("a"), pointer("b")
		for _, step := range []struct {
			name         string
			serve        http.HandlerFunc
			sameA, sameB bool
		}{
			{"the same set", set(t, "max-age=60", a, b), true, true},
			{"in another order, with another key", set(t, "max-age=60", newKey(t, "c"), b, a), true, true},
			{"another key of the same ID", set(t, "max-age=60", other, b), false, true},
			{"the first key again", set(t, "max-age=60", a, b), false, true},
			{"another algorithm", set(t, "max-age=60", a, renamed), false, false},
		} {
			issuer.answer(step.serve)
			requests := issuer.requests.Load()
			time.Sleep(time.Minute)
			if sameA, sameB := pointer("a") == firstA, pointer("b") == firstB; sameA != step.sameA || sameB != step.sameB {
				t.Errorf("%s: a is the same: %v, b is the same: %v", step.name, sameA, sameB)
			}
			issuer.expect(t, requests+1)
		}
	})
}

func TestNotModifiedKeepsPointers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := set(t, "max-age=60", newKey(t, "a"))
		issuer := &issuer{}
		issuer.answer(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			if r.Header.Get("If-None-Match") == `"v1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			full(w, r)
		})
		source := issuer.source(t, jwks.Options{})
		want(t, source, "a", "a")
		before := source.State()
		time.Sleep(time.Minute)
		want(t, source, "a", "a")
		issuer.expect(t, 2)
		if after := source.State(); after.Keys[0] != before.Keys[0] || !after.Fetched.After(before.Fetched) {
			t.Errorf("the key is another one, or was not confirmed at %v", after.Fetched)
		}
	})
}
