package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver of the users' database

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// scopes are what each role may do.
var scopes = map[string][]string{"keeper": {"pets:read", "pets:write"}, "visitor": {"pets:read"}}

// app is the API, its users, and the token server.
type app struct {
	users  *sql.DB
	tokens *server.Server
}

// newApp opens the users' table and, beside it, the token server, which is to be reached at the issuer's URL.
func newApp(ctx context.Context, issuerURL, dir string, key server.Secret) (*app, error) {
	users, err := openUsers(ctx, filepath.Join(dir, "users.db"))
	if err != nil {
		return nil, err
	}
	tokens, err := server.New(ctx, server.Config{
		Issuer: issuer.Config{
			URL:              issuerURL,
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: scopes["keeper"]}},
			Clients:          []issuer.Client{{ID: "client_app", Scopes: scopes["keeper"], FirstParty: true}},
			KeyEncryptionKey: key.Bytes(),
		},
		DataDir: filepath.Join(dir, "jot"),
	})
	if err != nil {
		return nil, errors.Join(err, users.Close())
	}
	return &app{users, tokens}, nil
}

// Close ends the token server, and closes both databases.
func (a *app) Close() error { return errors.Join(a.tokens.Close(), a.users.Close()) }

// handler serves the API, its login, and the token server below /auth: refresh and logout are there.
func (a *app) handler() http.Handler {
	protect := jothttp.Protect(a.tokens.Issuer().Verifier())
	mux := http.NewServeMux()
	mux.Handle("/auth/", a.tokens.Handler())
	mux.HandleFunc("POST /login", a.logIn)
	mux.Handle("GET /pets", protect(jothttp.RequireScope("pets:read")(http.HandlerFunc(pets))))
	return mux
}

// logIn checks the password as it always did, and then asks for tokens. What the users' table says of the user goes
// into them: were it to change, the next login would tell the token server, and the tokens of before would be refused.
func (a *app) logIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	u, err := a.authenticate(r.Context(), r.PostFormValue("name"), r.PostFormValue("password"))
	if errors.Is(err, errRefused) {
		http.Error(w, "wrong name or password", http.StatusUnauthorized)
		return
	}
	if err != nil {
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	claims, err := json.Marshal(map[string]string{"role": u.role})
	if err != nil {
		http.Error(w, "try again later", http.StatusInternalServerError)
		return
	}
	tokens, err := a.tokens.Issuer().Issue(r.Context(), issuer.Grant{
		Subject: fmt.Sprintf("user-%d", u.id), Claims: claims, Scope: scopes[u.role], AMR: []string{"pwd"}, UserAgent: r.UserAgent(),
	})
	if err != nil {
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(map[string]string{"access_token": tokens.Access, "refresh_token": tokens.Refresh})
}

// pets is a protected resource.
func pets(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s may see the pets\n", jothttp.From(r.Context()).Subject())
}
