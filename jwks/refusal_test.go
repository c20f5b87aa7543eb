package jwks_test

import (
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
		"https://user:password@auth.example.com/", "https://auth.example.com/#keys", "http://localhost.example.com/", "http://127.0.0.1.example/", "%",
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
		"not JSON":          func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"two sets in one":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[],"Keys":[]}`) },
		"not a set":         func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) },
		"not found":         http.NotFound,
		"no content":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
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
	const okp = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	issuer := &issuer{}
	issuer.answer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, okp) })
	want(t, issuer.source(t, jwks.Options{Algorithm: jot.EdDSA}), "a", "a")

	source := issuer.source(t, jwks.Options{})
	want(t, source, "a", "error") // nothing of the set can be used: it must not take the place of a good one
	if err := source.State().LastError; err == nil || !strings.Contains(err.Error(), "algorithm") {
		t.Errorf("last error %v, want one that tells of the missing algorithm", err)
	}
}
