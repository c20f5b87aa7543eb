package chromium

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/jot-auth/jot/server/issuer"
)

// TestPages goes through the server's own pages without scripts: a person logs in, allows an app of another origin
// something, comes back to it, isn't asked again, and logs out. The browser itself holds the pages to their
// Content-Security-Policy, and keeps cookies that are for TLS on loopback.
func TestPages(t *testing.T) {
	w := start(t)
	arrived := make(chan *http.Request, 8)
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/favicon.ico" {
			arrived <- r
		}
		rw.Header().Set("Content-Type", "text/html")
		rw.Write([]byte("<!doctype html><title>app</title><p id=app>back"))
	}))
	t.Cleanup(app.Close)
	secret, hash := issuer.NewClientSecret()
	client := issuer.Client{
		ID: "client_web", Name: "The zoo’s app", SecretHash: hash, Scopes: []string{"pets:read"}, RedirectURIs: []string{app.URL + "/callback"}, PostLogoutRedirectURIs: []string{app.URL + "/bye"},
	}
	must(t, w.Issuer().CreateClient(t.Context(), client))
	config := oauth2.Config{
		ClientID: client.ID, ClientSecret: secret, RedirectURL: app.URL + "/callback", Scopes: []string{"openid", "profile", "pets:read"},
		Endpoint: oauth2.Endpoint{AuthURL: w.URL + "/oauth2/authorize", TokenURL: w.URL + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	verifier := oauth2.GenerateVerifier()
	address := config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))

	tab, cancel := chromedp.NewContext(w.browser)
	t.Cleanup(cancel)
	tab, cancel = context.WithTimeout(tab, time.Minute)
	t.Cleanup(cancel)
	must(t, chromedp.Do(tab, withoutScripts, chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("#username"))))
	look(t, tab, "login")
	must(t, chromedp.Do(tab, chromedp.SendKeys(chromedp.CSS("#username"), "ada"), chromedp.SendKeys(chromedp.CSS("#password"), "a wrong password"), chromedp.Click(chromedp.CSS("button")), chromedp.WaitVisible(chromedp.CSS("#problem"))))
	look(t, tab, "wrong")
	must(t, chromedp.Do(tab, chromedp.SendKeys(chromedp.CSS("#password"), password), chromedp.Click(chromedp.CSS("button")), chromedp.WaitVisible(chromedp.CSS("button[value=allow]"))))
	look(t, tab, "consent")
	must(t, chromedp.Do(tab, chromedp.Click(chromedp.CSS("button[value=allow]")), chromedp.WaitVisible(chromedp.CSS("#app"))))
	answer := (<-arrived).URL.Query()
	if answer.Get("state") != "state" || answer.Get("iss") != w.URL {
		t.Fatalf("answered %v", answer)
	}
	tokens, err := config.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier))
	must(t, err)
	id, _ := tokens.Extra("id_token").(string)

	must(t, chromedp.Do(tab, chromedp.Navigate(address+"&prompt=none"), chromedp.WaitVisible(chromedp.CSS("#app"))))
	if back := <-arrived; !back.URL.Query().Has("code") || back.Referer() != "" {
		t.Errorf("signed in, the person came back with %v from %q", back.URL, back.Referer())
	}
	must(t, chromedp.Do(tab, chromedp.Navigate(w.URL+"/oauth2/logout?client_id=client_web&post_logout_redirect_uri="+app.URL+"/bye"), chromedp.WaitVisible(chromedp.CSS("button"))))
	look(t, tab, "logout")
	must(t, chromedp.Do(tab, chromedp.Click(chromedp.CSS("button")), chromedp.WaitVisible(chromedp.CSS("#app"))))
	if back := <-arrived; back.URL.Path != "/bye" || back.Referer() != "" {
		t.Errorf("logged out, the person came back with %v from %q", back.URL, back.Referer())
	}
	must(t, chromedp.Do(tab, chromedp.Navigate(address+"&prompt=none"), chromedp.WaitVisible(chromedp.CSS("#app"))))
	if back := <-arrived; back.URL.Query().Get("error") != "login_required" || strings.Count(id, ".") != 2 {
		t.Errorf("logged out, the person came back with %v", back.URL)
	}
}

// withoutScripts lets no page run any.
func withoutScripts(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
	_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return chromedp.Void{}, err
}

// look keeps a picture of a page in the folder $JOT_PICTURES, for whoever changes the style.
func look(t *testing.T, tab context.Context, name string) {
	t.Helper()
	folder := os.Getenv("JOT_PICTURES")
	if folder == "" {
		return
	}
	must(t, chromedp.Do(tab, chromedp.EmulateViewport(600, 560)))
	picture, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	must(t, err)
	must(t, os.WriteFile(folder+"/"+name+".png", picture, 0o600))
}
