// Package oidc logs people in with an OpenID Connect client that isn't written here: github.com/coreos/go-oidc over
// golang.org/x/oauth2.
package oidc

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	password = "correct horse battery"
	callback = "http://127.0.0.1/callback"
	native   = "http://127.0.0.1:51004/callback" // the port is the app's to choose
)

// relyingParty is an application of somebody else, with its person.
type relyingParty struct {
	*testing.T
	server   running.Server
	browser  *running.Browser
	provider *oidc.Provider
	oauth2.Config
}

// newRelyingParty finds the server by its issuer's URL, and makes an account for its person.
func newRelyingParty(t *testing.T, client issuer.Client) *relyingParty {
	t.Helper()
	s := running.Start(t)
	client.Scopes, client.RedirectURIs = []string{"pets:read"}, []string{callback}
	secret, hash := issuer.NewClientSecret()
	client.SecretHash = hash
	if err := s.Issuer().CreateClient(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SignUp(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	provider, err := oidc.NewProvider(t.Context(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &relyingParty{t, s, running.NewBrowser(t, http.DefaultTransport), provider, oauth2.Config{
		ClientID: client.ID, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: native, Scopes: []string{oidc.ScopeOpenID, "profile", "pets:read"},
	}}
}

// logIn sends the person through the pages, and trades the code that comes back.
func (p *relyingParty) logIn(options ...oauth2.AuthCodeOption) *oauth2.Token {
	p.Helper()
	verifier := oauth2.GenerateVerifier()
	page := p.browser.Get(p.AuthCodeURL("state", append(options, oauth2.S256ChallengeOption(verifier))...))
	if page.Next == nil {
		page = p.browser.Submit(page, "username", "ada", "password", password)
	}
	if page.Next == nil {
		page = p.browser.Submit(page, "decision", "allow")
	}
	answer := page.Next
	if answer == nil || answer.Host != "127.0.0.1:51004" || answer.Query().Get("state") != "state" || answer.Query().Get("iss") != p.server.URL {
		p.Fatalf("%d %v %s", page.Status, answer, page.Body)
	}
	tokens, err := p.Exchange(p.Context(), answer.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		p.Fatal(err)
	}
	return tokens
}

// verify holds the ID token that came with tokens against the provider's keys.
func (p *relyingParty) verify(tokens *oauth2.Token) *oidc.IDToken {
	p.Helper()
	raw, _ := tokens.Extra("id_token").(string)
	id, err := p.provider.Verifier(&oidc.Config{ClientID: p.ClientID}).Verify(p.Context(), raw)
	if err != nil {
		p.Fatal(err)
	}
	if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
		p.Error(err)
	}
	return id
}

// TestLogIn goes from discovery to UserInfo, and through a refresh to the logout.
func TestLogIn(t *testing.T) {
	p := newRelyingParty(t, issuer.Client{ID: "client_web", Name: "Web"})
	tokens := p.logIn(oidc.Nonce("nonce"))
	id := p.verify(tokens)
	info, err := p.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
	if err != nil || info.Subject != id.Subject || id.Nonce != "nonce" {
		t.Fatalf("%+v, %+v, %v", info, id, err)
	}
	var profile struct {
		Name string `json:"preferred_username"`
	}
	if err := info.Claims(&profile); err != nil || profile.Name != "ada" {
		t.Errorf("%+v, %v", profile, err)
	}
	access, err := p.server.Issuer().Verifier().Verify(t.Context(), tokens.AccessToken)
	if err != nil || access.Subject() != id.Subject || !access.HasScope("pets:read") {
		t.Errorf("access token: %v", err)
	}

	// Refresh: another access token, and an ID token of the same login.
	expired := *tokens
	expired.Expiry = time.Now().Add(-time.Minute)
	fresh, err := p.TokenSource(t.Context(), &expired).Token()
	if err != nil || fresh.AccessToken == tokens.AccessToken || fresh.RefreshToken == tokens.RefreshToken {
		t.Fatalf("refresh: %v", err)
	}
	var before, after struct {
		AuthTime int64  `json:"auth_time"`
		Session  string `json:"sid"`
	}
	again := p.verify(fresh)
	if err1, err2 := id.Claims(&before), again.Claims(&after); err1 != nil || err2 != nil || before != after || again.Subject != id.Subject || again.Nonce != "" {
		t.Errorf("ID token of the refresh: %+v after %+v", after, before)
	}

	// Signed in and asked once, the person sees no page again.
	second := p.verify(p.logIn(oauth2.SetAuthURLParam("prompt", "none")))
	if second.Subject != id.Subject {
		t.Errorf("another person: %+v", second)
	}
	p.logOut(fresh)
}

// logOut logs the person out by the provider's own address: what came of the sign-in is over.
func (p *relyingParty) logOut(tokens *oauth2.Token) {
	p.Helper()
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := p.provider.Claims(&metadata); err != nil {
		p.Fatal(err)
	}
	page := p.browser.Get(metadata.EndSession + "?" + url.Values{"id_token_hint": {tokens.Extra("id_token").(string)}}.Encode())
	if page.Status != http.StatusOK {
		p.Errorf("%d %s", page.Status, page.Body)
	}
	tokens.Expiry = time.Now().Add(-time.Minute)
	if _, err := p.TokenSource(p.Context(), tokens).Token(); err == nil {
		p.Error("the refresh token outlived the logout")
	}
	if _, err := p.server.Issuer().Verifier().Verify(p.Context(), tokens.AccessToken); err == nil {
		p.Error("the access token outlived the logout")
	}
}
