package chromium

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/server/issuer"
)

// TestPasskeys: a person adds a passkey on the server's page, logs out, and logs in for an app with it, first alone and
// then after the password. The browser has an authenticator of its own, and holds the pages' script to their
// Content-Security-Policy.
func TestPasskeys(t *testing.T) {
	w := startOver(t, running.StartNamed)
	arrived := make(chan string, 8)
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			arrived <- r.URL.Query().Get("code")
		}
		rw.Header().Set("Content-Type", "text/html")
		rw.Write([]byte("<!doctype html><title>app</title><p id=app>back"))
	}))
	t.Cleanup(app.Close)
	client := issuer.Client{ID: "client_web", Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{app.URL + "/callback"}}
	must(t, w.Issuer().CreateClient(t.Context(), client))
	config := oauth2.Config{
		ClientID: client.ID, RedirectURL: app.URL + "/callback", Scopes: []string{"openid"},
		Endpoint: oauth2.Endpoint{AuthURL: w.URL + "/oauth2/authorize", TokenURL: w.URL + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	verifier := oauth2.GenerateVerifier()
	address := config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))

	tab, cancel := chromedp.NewContext(w.browser)
	t.Cleanup(cancel)
	tab, cancel = context.WithTimeout(tab, 2*time.Minute)
	t.Cleanup(cancel)
	must(t, chromedp.Do(tab, withAuthenticator, chromedp.Navigate(w.URL+"/passkeys"), chromedp.WaitVisible(chromedp.CSS("#passkey button"))))
	look(t, tab, "login-passkey")
	enter := func() {
		t.Helper()
		must(t, chromedp.Do(tab, chromedp.SendKeys(chromedp.CSS("#username"), "ada"), chromedp.SendKeys(chromedp.CSS("#password"), password), chromedp.Click(chromedp.CSS("form[action=login] button"))))
	}
	enter()
	must(t, chromedp.Do(tab, chromedp.WaitVisible(chromedp.CSS("form[action=new-passkey]")), chromedp.SendKeys(chromedp.CSS("#password"), password), chromedp.Click(chromedp.CSS("form[action=new-passkey] button"))))
	must(t, chromedp.Do(tab, chromedp.WaitVisible(chromedp.CSS("#name"))))
	look(t, tab, "new-passkey")
	must(t, chromedp.Do(tab, chromedp.SendKeys(chromedp.CSS("#name"), "This laptop"), chromedp.Click(chromedp.CSS("#passkey button")), chromedp.WaitVisible(chromedp.CSS("#codes"))))
	look(t, tab, "recovery-codes")

	signOut := func() {
		t.Helper()
		must(t, chromedp.Do(tab, chromedp.Navigate(w.URL+"/oauth2/logout"), chromedp.Click(chromedp.CSS("form button")), chromedp.WaitNotPresent(chromedp.CSS("form"))))
	}
	redeem := func(want ...string) {
		t.Helper()
		must(t, chromedp.Do(tab, chromedp.WaitVisible(chromedp.CSS("#app"))))
		tokens, err := config.Exchange(t.Context(), <-arrived, oauth2.VerifierOption(verifier))
		must(t, err)
		var claims struct {
			ACR string   `json:"acr"`
			AMR []string `json:"amr"`
		}
		id, _ := tokens.Extra("id_token").(string)
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(id+"..", ".")[1])
		must(t, err)
		must(t, json.Unmarshal(payload, &claims))
		if claims.ACR != issuer.ACRTwoFactors || !slices.Equal(claims.AMR, want) {
			t.Errorf("logged in by %v, %s, want %v", claims.AMR, claims.ACR, want)
		}
	}
	signOut()
	must(t, chromedp.Do(tab, chromedp.Navigate(address), chromedp.Click(chromedp.CSS("#passkey button"))))
	redeem("pop", "user", "mfa")
	must(t, chromedp.Do(tab, chromedp.Navigate(w.URL+"/passkeys"), chromedp.WaitVisible(chromedp.CSS("form[action=change-passkey]"))))
	look(t, tab, "passkeys")
	signOut()
	must(t, chromedp.Do(tab, chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("#passkey button"))))
	enter()
	must(t, chromedp.Do(tab, chromedp.WaitVisible(chromedp.CSS("form[action=factor] button"))))
	look(t, tab, "factor-passkey")
	must(t, chromedp.Do(tab, chromedp.Click(chromedp.CSS("#passkey button"))))
	redeem("pwd", "pop", "user", "mfa")
}

// withAuthenticator gives a tab an authenticator that knows its owner by a fingerprint.
func withAuthenticator(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
	if _, err := cdp.Call(ctx, target, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		return chromedp.Void{}, err
	}
	_, err := cdp.Call(ctx, target, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	return chromedp.Void{}, err
}
