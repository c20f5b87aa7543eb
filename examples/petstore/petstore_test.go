package petstore_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/examples/petstore"
)

// newStore makes a store and the signer of the tokens that it accepts.
func newStore() (http.Handler, *jot.Signer) {
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{
		Issuer: "https://auth.example.com", Audience: "petstore", Type: "at+jwt",
	})
	if err != nil {
		log.Fatal(err)
	}
	return petstore.Handler(verifier), signer
}

// token signs a token for alice with further claims.
func token(signer *jot.Signer, claims map[string]any) string {
	all := map[string]any{
		"iss": "https://auth.example.com", "sub": "alice", "aud": "petstore", "exp": time.Now().Add(time.Minute).Unix(),
	}
	for name, value := range claims {
		all[name] = value
	}
	raw, err := signer.Sign(context.Background(), all)
	if err != nil {
		log.Fatal(err)
	}
	return raw
}

// call sends a request and returns the status and the body.
func call(h http.Handler, method, path, token, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Result().Body)
	return w.Code, strings.TrimSpace(string(text))
}

func TestRoutes(t *testing.T) {
	_, foreign := newStore()
	h, signer := newStore()
	plain := token(signer, nil)
	reader := token(signer, map[string]any{"scope": "pets:read"})
	writer := token(signer, map[string]any{"scope": "pets:read pets:write"})
	admin := token(signer, map[string]any{"roles": []string{"staff", "admin"}})
	licensed := token(signer, map[string]any{"licensedFeatures": []string{"insights"}})
	for _, test := range []struct {
		name, method, path, token, body string
		status                          int
		want                            string
	}{
		{"list for everyone", "GET", "/pets", "", "", 200, `[{"id":1,"name":"Rex","owner":"store"},{"id":2,"name":"Mia","owner":"store"},{"id":3,"name":"Bubbles","owner":"store"}]`},
		{"one without a token", "GET", "/pets/1", "", "", 401, ""},
		{"one with a foreign token", "GET", "/pets/1", token(foreign, map[string]any{"scope": "pets:read"}), "", 401, ""},
		{"one without the scope", "GET", "/pets/1", plain, "", 403, ""},
		{"one", "GET", "/pets/1", reader, "", 200, `{"id":1,"name":"Rex","owner":"store"}`},
		{"an unknown one", "GET", "/pets/9", reader, "", 404, ""},
		{"no number", "GET", "/pets/rex", reader, "", 404, ""},

		{"add without the scope", "POST", "/pets", reader, `{"name":"Tom"}`, 403, ""},
		{"add an unknown member", "POST", "/pets", writer, `{"name":"Tom","owner":"bob"}`, 400, ""},
		{"add a member twice", "POST", "/pets", writer, `{"name":"Tom","name":"Tim"}`, 400, ""},
		{"add no name", "POST", "/pets", writer, `{}`, 400, ""},
		{"add half of a JSON object", "POST", "/pets", writer, `{"name":"Tom"`, 400, ""},
		{"add a form", "POST", "/pets", writer, `name=Tom`, 400, ""},
		{"add too much", "POST", "/pets", writer, `{"name":"` + strings.Repeat("a", 10<<20) + `"}`, 413, ""},
		{"add", "POST", "/pets", writer, `{"name":"Tom"}`, 201, `{"id":4,"name":"Tom","owner":"alice"}`},

		{"insights without a licence", "GET", "/pets/insights", writer, "", 403, `{"type":"about:blank","title":"Forbidden","status":403}`},
		{"insights", "GET", "/pets/insights", licensed, "", 200, `{"petsByOwner":{"alice":1,"store":3}}`},
		{"insights with claims of another type", "GET", "/pets/insights", token(signer, map[string]any{"licensedFeatures": "insights"}), "", 403, ""},

		{"delete without a token", "DELETE", "/admin/pets/4", "", "", 401, ""},
		{"delete as anybody", "DELETE", "/admin/pets/4", writer, "", 403, ""},
		{"delete with a role in another case", "DELETE", "/admin/pets/4", token(signer, map[string]any{"Roles": []string{"admin"}}), "", 403, ""},
		{"delete", "DELETE", "/admin/pets/4", admin, "", 204, ""},
		{"delete again", "DELETE", "/admin/pets/4", admin, "", 404, ""},
		{"another method", "PUT", "/pets/1", writer, "", 405, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := call(h, test.method, test.path, test.token, test.body)
			if status != test.status || test.want != "" && body != test.want {
				t.Errorf("%d %s, want %d %s", status, body, test.status, test.want)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	h, signer := newStore()
	r := httptest.NewRequest("POST", "/pets", strings.NewReader(`{"name":"Tom"}`))
	r.Header.Set("Authorization", "Bearer "+token(signer, map[string]any{"scope": "pets:write"}))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 201 {
		t.Errorf("with a charset: %d %s", w.Code, w.Body)
	}
	r = httptest.NewRequest("DELETE", "/admin/pets/1", nil)
	r.Header.Set("Authorization", "Bearer "+token(signer, nil))
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 403 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("without the role: %d, Cache-Control %q", w.Code, w.Header().Get("Cache-Control"))
	}
}

func TestStoreIsBounded(t *testing.T) {
	h, signer := newStore()
	writer := token(signer, map[string]any{"scope": "pets:write"})
	for n := 4; n <= 1001; n++ {
		want := 201
		if n > 1000 {
			want = 507
		}
		if status, _ := call(h, "POST", "/pets", writer, `{"name":"Tom"}`); status != want {
			t.Fatalf("pet %d: status %d, want %d", n, status, want)
		}
	}
}

// The store mounts into any mux.
func ExampleHandler() {
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{
		Issuer: "https://auth.example.com", Audience: "petstore", Type: "at+jwt",
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/shop/", http.StripPrefix("/shop", petstore.Handler(verifier)))

	status, _ := call(mux, "GET", "/shop/pets", "", "")
	fmt.Println("list:", status)
	status, _ = call(mux, "GET", "/shop/pets/1", "", "")
	fmt.Println("one pet, no token:", status)
	// Output:
	// list: 200
	// one pet, no token: 401
}
