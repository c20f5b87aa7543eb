package jwks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
)

// unnamed serves a key that the set doesn't name, and others that it does. The name that such a key has is its
// thumbprint.
func unnamed(t *testing.T, key *jot.PublicKey, others ...*jot.PublicKey) http.HandlerFunc {
	t.Helper()
	var members map[string]string
	text, err := json.Marshal(key)
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	if err != nil {
		t.Fatal(err)
	}
	delete(members, "kid")
	bare, _ := json.Marshal(members)
	texts := []string{string(bare)}
	for _, other := range others {
		text, err := json.Marshal(other)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=600")
		fmt.Fprintf(w, `{"keys":[%s]}`, strings.Join(texts, ","))
	}
}

func generated(t *testing.T) *jot.PublicKey {
	t.Helper()
	private, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	return private.Public()
}

// A key that doesn't name itself might be the one of any token, and yet a key that is new is found.
func TestUnnamedKeyHidesNoNewKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, fresh := generated(t), newKey(t, "fresh")
		issuer := &issuer{}
		issuer.answer(unnamed(t, old))
		source := issuer.source(t, jwks.Options{MinRefresh: 10 * time.Second})
		want(t, source, "own", old.KeyID())
		want(t, source, "own", old.KeyID())
		issuer.expect(t, 1)

		issuer.answer(unnamed(t, old, fresh))
		want(t, source, "fresh", old.KeyID()) // in the cool-down
		issuer.expect(t, 1)
		time.Sleep(10 * time.Second)
		want(t, source, "fresh", "fresh")
		issuer.expect(t, 2)
		want(t, source, "own", old.KeyID()) // known to be missing
		issuer.expect(t, 2)
	})
}

// An unnamed key verifies on while the issuer is down, until MaxStale, like a named one.
func TestUnnamedKeyWhileFetchesFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := generated(t)
		issuer := &issuer{}
		issuer.answer(unnamed(t, old))
		source := issuer.source(t, jwks.Options{MinRefresh: 10 * time.Second, MaxAge: 10 * time.Minute, MaxStale: time.Hour})
		want(t, source, "own", old.KeyID())
		issuer.answer(broken)

		time.Sleep(9 * time.Minute)
		want(t, source, "own", old.KeyID()) // the fetch that fails
		issuer.expect(t, 2)
		want(t, source, "own", old.KeyID()) // the cool-down after it
		issuer.expect(t, 2)

		issuer.answer(hanging)
		time.Sleep(11 * time.Second)
		started := time.Now()
		want(t, source, "own", old.KeyID()) // nobody waits for the next one
		if waited := time.Since(started); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		synctest.Wait()
		issuer.expect(t, 3)

		time.Sleep(time.Hour)
		want(t, source, "own", "error")
	})
}

// A key that the issuer names by its thumbprint from now on verifies tokens under no other ID any more, and one that it
// no longer names does.
func TestKeyGainsAndLosesItsName(t *testing.T) {
	for _, test := range []struct {
		name          string
		names         [2]bool // whether the set names the key, at first and then
		before, after string
	}{
		{"gains", [2]bool{false, true}, "thumbprint", "none"}, {"loses", [2]bool{true, false}, "none", "thumbprint"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				key := generated(t)
				serve := map[bool]http.HandlerFunc{false: unnamed(t, key), true: set(t, "max-age=600", key)}
				answers := map[string]string{"thumbprint": key.KeyID(), "none": "none"}
				issuer := &issuer{}
				issuer.answer(serve[test.names[0]])
				source := issuer.source(t, jwks.Options{})
				want(t, source, "own", answers[test.before])
				issuer.answer(serve[test.names[1]])
				time.Sleep(11 * time.Minute)
				want(t, source, "own", answers[test.after])
			})
		})
	}
}
