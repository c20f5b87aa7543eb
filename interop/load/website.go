package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"sync"
)

// signInCookie is that of server/internal/console.
const signInCookie = "__Host-jot-signin"

// websiteTokens are what a code gives.
type websiteTokens struct {
	Access string `json:"access_token"`
	ID     string `json:"id_token"`
}

// signIns are the browsers of one client, each of which comes so often and then the next, until the first may come
// again.
type signIns struct {
	secrets []string
	visits  int
}

func (s *signIns) next() string {
	secret := s.secrets[s.visits/codesPerSignIn%len(s.secrets)]
	s.visits++
	return secret
}

// redeeming lets each client's browser, which is signed in, come from the website, which trades the code for tokens:
// two requests.
func (w *world) redeeming() call {
	return func(ctx context.Context, client int) error {
		_, err := w.visit(ctx, client)
		return err
	}
}

// visit is one login at the website.
func (w *world) visit(ctx context.Context, client int) (tokens websiteTokens, err error) {
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"response_type": {"code"}, "client_id": {website}, "redirect_uri": {redirectURI}, "scope": {"openid profile " + scopes[0]}, "state": {rand.Text()},
		"nonce": {rand.Text()}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	browser := w.caller.with("Cookie", signInCookie+"="+w.signed[client].next())
	back, err := browser.redirected(ctx, "/oauth2/authorize?"+query.Encode())
	if err != nil {
		return tokens, err
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {website}, "redirect_uri": {redirectURI}, "code": {back.Query().Get("code")}, "code_verifier": {verifier},
	}
	if err := w.caller.post(ctx, "/oauth2/token", formType, form.Encode(), &tokens); err != nil {
		return tokens, err
	}
	if tokens.ID == "" {
		return tokens, fmt.Errorf("no ID token; the browser was sent to %s", back)
	}
	return tokens, nil
}

// askingWho lets the website ask who the first client is.
func (w *world) askingWho() call {
	signedIn := sync.OnceValues(func() (*caller, error) {
		tokens, err := w.visit(context.Background(), 0)
		return w.caller.as(tokens.Access), err
	})
	return func(ctx context.Context, _ int) error {
		as, err := signedIn()
		if err != nil {
			return err
		}
		return as.get(ctx, "/userinfo")
	}
}
