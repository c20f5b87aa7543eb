package jwks_test

import (
	"context"
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

func TestDiscover(t *testing.T) {
	const good = `{"issuer":"https://auth.example.com","jwks_uri":"https://keys.example.com/jwks.json"}`
	for _, test := range []struct {
		name, issuer, document, want string
	}{
		{"good", "https://auth.example.com", good, "https://keys.example.com/jwks.json"},
		{"trailing slash", "https://auth.example.com/", `{"issuer":"https://auth.example.com/","jwks_uri":"https://k.example/"}`, "https://k.example/"},
		{"tenant path", "https://auth.example.com/t1", `{"issuer":"https://auth.example.com/t1","jwks_uri":"https://k.example/"}`, "https://k.example/"},
		{"loopback", "http://127.0.0.1:8080", `{"issuer":"http://127.0.0.1:8080","jwks_uri":"http://127.0.0.1:8080/k"}`, "http://127.0.0.1:8080/k"},
		{"another issuer", "https://auth.example.com", `{"issuer":"https://evil.example","jwks_uri":"https://k.example/"}`, ""},
		{"slash differs", "https://auth.example.com/", good, ""},
		{"case differs", "https://AUTH.example.com", good, ""},
		{"issuer twice", "https://auth.example.com", `{"issuer":"https://auth.example.com","Issuer":"x","jwks_uri":"https://k.example/"}`, ""},
		{"no issuer", "https://auth.example.com", `{"jwks_uri":"https://k.example/"}`, ""},
		{"no address", "https://auth.example.com", `{"issuer":"https://auth.example.com"}`, ""},
		{"member in another case", "https://auth.example.com", `{"issuer":"https://auth.example.com","JWKS_URI":"https://k.example/"}`, ""},
		{"plain address", "https://auth.example.com", `{"issuer":"https://auth.example.com","jwks_uri":"http://k.example/"}`, ""},
		{"downgrade to loopback", "https://auth.example.com", `{"issuer":"https://auth.example.com","jwks_uri":"http://127.0.0.1/"}`, ""},
		{"not JSON", "https://auth.example.com", `issuer`, ""},
		{"plain issuer", "http://auth.example.com", good, ""},
		{"query", "https://auth.example.com?x", good, ""},
		{"empty query", "https://auth.example.com?", good, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := &issuer{}
			i.answer(func(w http.ResponseWriter, r *http.Request) {
				if want := strings.TrimSuffix(test.issuer, "/") + "/.well-known/openid-configuration"; r.URL.String() != want {
					t.Errorf("asked for %s, want %s", r.URL, want)
				}
				fmt.Fprint(w, test.document)
			})
			got, err := jwks.Discover(t.Context(), test.issuer, &http.Client{Transport: i})
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
			if errors.Is(err, jot.ErrUnavailable) {
				t.Errorf("%v is the issuer's mistake, not an outage", err)
			}
		})
	}
}

func TestDiscoverUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, serve := range map[string]http.HandlerFunc{
			"broken": broken, "hanging": hanging, "missing": http.NotFound,
			"redirect": func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://evil.example/", http.StatusFound)
			},
		} {
			i := &issuer{}
			i.answer(serve)
			start := time.Now()
			_, err := jwks.Discover(context.Background(), "https://auth.example.com", &http.Client{Transport: i})
			if !errors.Is(err, jot.ErrUnavailable) {
				t.Errorf("%s: %v, want ErrUnavailable", name, err)
			}
			if waited := time.Since(start); waited > 10*time.Second {
				t.Errorf("%s: waited %v", name, waited)
			}
			i.expect(t, 1)
		}
	})
}
