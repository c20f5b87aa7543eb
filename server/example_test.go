package server_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// A program mounts the token server into its own mux, beside its own routes.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "jot-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	// The key-encryption key stands outside the data directory and its backups.
	key, err := server.SecretFile(filepath.Join(dir, "jot.kek"))
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := server.New(context.Background(), server.Config{
		Issuer: issuer.Config{
			URL:              "https://example.com/auth",
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}},
			Clients:          []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}},
			KeyEncryptionKey: key.Bytes(),
		},
		DataDir:    filepath.Join(dir, "data"),
		OpenSignUp: true,
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer tokens.Close()

	mux := http.NewServeMux()
	mux.Handle("/auth/", tokens.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "my own page") })

	site := httptest.NewServer(mux)
	defer site.Close()
	answer, err := http.Post(site.URL+"/auth/v1/signup", "application/json", strings.NewReader(`{"username":"ada","password":"correct horse battery staple"}`))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
	// Output: 201 Created
}
