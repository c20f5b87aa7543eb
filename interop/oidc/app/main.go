// Command app is a web app whose people log in with OpenID Connect.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// browser is what the app knows of one: keep it in a database where there are several processes.
type browser struct {
	state, nonce, verifier string             // of the login that it began
	tokens                 oauth2.TokenSource // refreshes what has expired, once for all requests; nil: nobody is logged in
	idToken                string
}

type app struct {
	base     string // where browsers reach it
	issuer   string
	endURL   string // of the issuer's logout
	provider *oidc.Provider
	config   oauth2.Config

	mu       sync.Mutex
	browsers map[string]browser // by cookie
}

func newApp(ctx context.Context, issuer, base, secret string) (*app, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, err
	}
	return &app{base: base, issuer: issuer, endURL: metadata.EndSession, provider: provider, browsers: make(map[string]browser), config: oauth2.Config{
		ClientID: "client_go", ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: base + "/callback", Scopes: []string{oidc.ScopeOpenID, "profile", "pets:read"},
	}}, nil
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /login", a.logIn)
	mux.HandleFunc("GET /callback", a.finishLogIn)
	mux.HandleFunc("GET /logout", a.logOut)
	return mux
}

// find answers what is known of the request's browser.
func (a *app) find(r *http.Request) browser {
	cookie, err := r.Cookie("app")
	if err != nil {
		return browser{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.browsers[cookie.Value]
}

// keep gives the browser another cookie, for what is known of it from now on.
func (a *app) keep(w http.ResponseWriter, r *http.Request, b browser) {
	id := rand.Text()
	http.SetCookie(w, &http.Cookie{Name: "app", Value: id, Path: "/", HttpOnly: true, Secure: strings.HasPrefix(a.base, "https:"), SameSite: http.SameSiteLaxMode})
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, err := r.Cookie("app"); err == nil {
		delete(a.browsers, old.Value)
	}
	a.browsers[id] = b
}

func (a *app) logIn(w http.ResponseWriter, r *http.Request) {
	b := browser{state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	a.keep(w, r, b)
	http.Redirect(w, r, a.config.AuthCodeURL(b.state, oidc.Nonce(b.nonce), oauth2.S256ChallengeOption(b.verifier)), http.StatusFound)
}

func (a *app) finishLogIn(w http.ResponseWriter, r *http.Request) {
	b, err := a.trade(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.keep(w, r, b)
	http.Redirect(w, r, a.base+"/", http.StatusFound)
}

// trade gets the tokens for the code that the browser came back with.
func (a *app) trade(r *http.Request) (browser, error) {
	b, answer := a.find(r), r.URL.Query()
	if b.state == "" || answer.Get("state") != b.state || answer.Get("iss") != a.issuer {
		return browser{}, errors.New("not the answer to this browser's request")
	}
	tokens, err := a.config.Exchange(r.Context(), answer.Get("code"), oauth2.VerifierOption(b.verifier))
	if err != nil {
		return browser{}, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := a.provider.Verifier(&oidc.Config{ClientID: a.config.ClientID}).Verify(r.Context(), raw)
	if err != nil {
		return browser{}, err
	}
	if id.Nonce != b.nonce {
		return browser{}, errors.New("the ID token of another login")
	}
	return browser{tokens: a.config.TokenSource(context.WithoutCancel(r.Context()), tokens), idToken: raw}, nil
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	b := a.find(r)
	if b.tokens == nil {
		fmt.Fprintln(w, "Nobody is logged in.")
		return
	}
	var profile struct {
		Name string `json:"preferred_username"`
	}
	info, err := a.provider.UserInfo(r.Context(), b.tokens)
	if err == nil {
		err = info.Claims(&profile)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	fmt.Fprintf(w, "Hello, %s.\n", profile.Name)
}

func (a *app) logOut(w http.ResponseWriter, r *http.Request) {
	query := url.Values{"client_id": {a.config.ClientID}, "post_logout_redirect_uri": {a.base + "/"}}
	if hint := a.find(r).idToken; hint != "" {
		query.Set("id_token_hint", hint)
	}
	a.keep(w, r, browser{})
	http.Redirect(w, r, a.endURL+"?"+query.Encode(), http.StatusFound)
}

// refuse forgets the browser: its session has ended, or the answer wasn't for it.
func (a *app) refuse(w http.ResponseWriter, r *http.Request, err error) {
	log.Print(err)
	a.keep(w, r, browser{})
	http.Error(w, "Log in again.", http.StatusUnauthorized)
}

func main() {
	a, err := newApp(context.Background(), "https://auth.example.com", "http://127.0.0.1:3000", os.Getenv("CLIENT_SECRET")) // https anywhere but on loopback
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", a.handler()))
}
