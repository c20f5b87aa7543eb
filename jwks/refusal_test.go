package jwks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
)

func TestNewSourceRefuses(t *testing.T) {
	for _, url := range []string{
		"", "/keys", "keys.json", "http://auth.example.com/keys", "ftp://auth.example.com/", "https://", "https://:8443/",
		"https://user:password@auth.example.com/", "https://auth.example.com/#keys", "http://localhost.example.com/", "http://localhoſt/", "http://127.0.0.1.example/", "http://192.0.2.1/", "http://[2001:db8::1]/", "%",
	} {
		if _, err := jwks.NewSource(url, jwks.Options{}); err == nil {
			t.Errorf("accepted address %q", url)
		}
	}
	for _, url := range []string{"https://auth.example.com/keys?v=1", "http://127.0.0.1:8080/", "http://[::1]/", "http://localhost:1/"} {
		if _, err := jwks.NewSource(url, jwks.Options{}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, o := range []jwks.Options{
		{Timeout: -1}, {MinRefresh: -1}, {MaxKeys: -1}, {MaxAge: -1}, {MaxStale: -1},
		{MinRefresh: time.Hour}, {MaxAge: 2 * time.Hour},
	} {
		if _, err := jwks.NewSource(setURL, o); err == nil {
			t.Errorf("accepted options %+v", o)
		}
	}
}

func TestRefusedSets(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"oversized": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"keys":[]%s}`, strings.Repeat(" ", 512<<10))
		},
		"too many keys":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, manyKeys(t, 5)) },
		"too many odd keys": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[{},{},{},{},{}]}`) },
		"too many keys, some of them odd": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.TrimSuffix(manyKeys(t, 3), "]}")+`,{},{}]}`)
		},
		"another success": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNonAuthoritativeInfo)
			fmt.Fprint(w, manyKeys(t, 1))
		},
		"not JSON":        func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"two sets in one": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[],"Keys":[]}`) },
		"not a set":       func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) },
		"not found":       http.NotFound,
		"no content":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"redirect elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusFound)
		},
		"redirect to http": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://auth.example.com/.well-known/jwks.json", http.StatusFound)
		},
		"redirect to another port": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://auth.example.com:8443/", http.StatusFound)
		},
		"redirect for ever": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, setURL, http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			issuer := &issuer{}
			issuer.answer(serve)
			source := issuer.source(t, jwks.Options{MaxKeys: 4})
			if _, err := lookUp(source, "key-0"); !errors.Is(err, jot.ErrUnavailable) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
			wanted := int32(1)
			if name == "redirect for ever" {
				wanted = 4
			}
			issuer.expect(t, wanted)
		})
	}
}

func TestRefusedSetKeepsThePreviousOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := publish(t, "max-age=60", newKey(t, "a"))
		source := issuer.source(t, jwks.Options{})
		want(t, source, "a", "a")
		issuer.answer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":7}`) })
		time.Sleep(time.Minute)
		want(t, source, "a", "a")
	})
}

func TestRedirectWithinTheOriginIsFollowed(t *testing.T) {
	issuer := &issuer{}
	keys := set(t, "", newKey(t, "a"))
	issuer.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/keys" {
			http.Redirect(w, r, "/keys", http.StatusFound)
			return
		}
		keys(w, r)
	})
	want(t, issuer.source(t, jwks.Options{}), "a", "a")
	issuer.expect(t, 2)
}

func TestClientsOwnRedirectRuleHolds(t *testing.T) {
	issuer := &issuer{}
	issuer.answer(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/keys", http.StatusFound) })
	client := &http.Client{Transport: issuer, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	source, err := jwks.NewSource(setURL, jwks.Options{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	want(t, source, "a", "error")
	issuer.expect(t, 1)
}

func TestKeysWithoutAlgorithm(t *testing.T) {
	const unnamed = `{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	named, err := json.Marshal(newKey(t, "b"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		set       string
		algorithm jot.Algorithm
		a, b      string // the answers to look-ups
		skipped   string
	}{
		{unnamed, jot.EdDSA, "a", "none", ""},
		{unnamed, "", "error", "error", ""}, // nothing of the set can be used: it must not take the place of a good one
		{unnamed + "," + string(named), "", "none", "b", "algorithm"},
		{unnamed + "," + string(named), jot.EdDSA, "a", "b", ""},
		{unnamed + "," + string(named), jot.Ed25519, "a", "none", "this key is for"},
	} {
		issuer := &issuer{}
		issuer.answer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"keys":[%s]}`, test.set) })
		source := issuer.source(t, jwks.Options{Algorithm: test.algorithm})
		want(t, source, "a", test.a)
		want(t, source, "b", test.b)
		state := source.State()
		if test.a == "error" && !strings.Contains(state.LastError.Error(), "algorithm") {
			t.Errorf("last error %v, want one that tells of the missing algorithm", state.LastError)
		}
		if len(state.Skipped) > 1 || (len(state.Skipped) == 1) != (test.skipped != "") {
			t.Errorf("with %q: skipped %v", test.algorithm, state.Skipped)
		} else if test.skipped != "" && !strings.Contains(state.Skipped[0].Reason, test.skipped) {
			t.Errorf("with %q: skipped because %q, want %q in it", test.algorithm, state.Skipped[0].Reason, test.skipped)
		}
	}
}
