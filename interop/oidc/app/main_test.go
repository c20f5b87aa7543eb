package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/jot-auth/jot/interop/recipe"
	"github.com/jot-auth/jot/interop/running"
)

func TestWebApp(t *testing.T) {
	s := running.StartTLS(t)
	mux := http.NewServeMux()
	serving := httptest.NewServer(mux)
	t.Cleanup(serving.Close)
	page := recipe.Read(t, "go-web")
	secret := page.Client(s, nil, "http://127.0.0.1:3000", serving.URL)
	ctx := oidc.ClientContext(t.Context(), s.Client)
	a, err := newApp(ctx, s.URL, serving.URL, secret)
	if err != nil {
		t.Fatal(err)
	}
	// The app's own requests to the server go by the client that trusts its certificate.
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.handler().ServeHTTP(w, r.WithContext(oidc.ClientContext(r.Context(), s.Client)))
	})
	recipe.CheckWebApp(t, s, serving.URL)
}

// TestPage: the page shows this very file.
func TestPage(t *testing.T) {
	file, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if recipe.Read(t, "go-web").Block("go") != string(file) {
		t.Error("docs/recipes/go-web.md doesn't show interop/oidc/app/main.go as it is")
	}
}
