// Package kubernetes runs the authenticator of the Kubernetes API server, as a library, with the configuration of
// docs/recipes/kubernetes.md.
package kubernetes

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"

	"github.com/jot-auth/jot/interop/recipe"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/server/issuer"
)

// configuration reads the page's file as the API server does.
func configuration(t *testing.T, text string) apiserver.JWTAuthenticator {
	t.Helper()
	scheme := runtime.NewScheme()
	install.Install(scheme)
	object, _, err := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder().Decode([]byte(text), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, ok := object.(*apiserver.AuthenticationConfiguration)
	if !ok || len(c.JWT) != 1 {
		t.Fatalf("%T", object)
	}
	return c.JWT[0]
}

// newAuthenticator makes that of an API server that has reached the issuer.
func newAuthenticator(t *testing.T, s running.Server, page recipe.Page) oidc.AuthenticatorTokenWithHealthCheck {
	t.Helper()
	roots, err := os.ReadFile(s.Roots)
	if err != nil {
		t.Fatal(err)
	}
	c := configuration(t, strings.ReplaceAll(page.Block("yaml"), "https://auth.example.com", s.URL))
	if c.Issuer.CertificateAuthority != "" {
		t.Error("the page names a certificate authority")
	}
	c.Issuer.CertificateAuthority = string(roots)
	client := *s.Client
	a, err := oidc.New(t.Context(), oidc.Options{JWTAuthenticator: c, Client: &client, SupportedSigningAlgs: oidc.AllValidSigningAlgorithms()})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); a.HealthCheck() != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(a.HealthCheck())
		}
	}
	return a
}

// tokens logs a person in, as kubectl's plugin does, and answers the ID token and the access token.
func tokens(t *testing.T, s running.Server) (id, access string) {
	t.Helper()
	verifier := oauth2.GenerateVerifier()
	config := oauth2.Config{
		ClientID: "client_kubectl", RedirectURL: "http://127.0.0.1:18000", // kubelogin's where port 8000 is taken
		Scopes:   []string{"openid", "cluster"},
		Endpoint: oauth2.Endpoint{AuthURL: s.URL + "/oauth2/authorize", TokenURL: s.URL + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	answer := recipe.LogIn(t, running.NewBrowser(t, s.Client.Transport), config.AuthCodeURL("state", oauth2.SetAuthURLParam("resource", "kubernetes"), oauth2.S256ChallengeOption(verifier)))
	token, err := config.Exchange(context.WithValue(t.Context(), oauth2.HTTPClient, s.Client), answer.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	id, _ = token.Extra("id_token").(string)
	return id, token.AccessToken
}

func TestAuthenticator(t *testing.T) {
	s, page := running.StartTLS(t), recipe.Read(t, "kubernetes")
	if err := s.Issuer().CreateResource(t.Context(), issuer.Resource{Audience: "kubernetes", Scopes: []string{"cluster"}}); err != nil {
		t.Fatal(err)
	}
	page.Client(s, nil)
	subject, err := s.SignUp(t.Context(), recipe.Username, recipe.Password)
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthenticator(t, s, page)
	_, narrow := tokens(t, s)
	change := issuer.Change{Scope: []string{"cluster"}, Claims: json.RawMessage(`{"groups":["developers"]}`)}
	if err := s.Issuer().ChangeSubject(t.Context(), subject, change); err != nil {
		t.Fatal(err)
	}
	id, access := tokens(t, s)
	accepts(t, a, access, subject)
	for name, token := range map[string]string{"an ID token": id, "no scope": narrow, "a changed one": access[:len(access)-4] + "AAAA"} {
		if answer, ok, err := a.AuthenticateToken(t.Context(), token); ok || err == nil {
			t.Errorf("%s: %+v", name, answer)
		}
	}

	// The next key was published before it signs. One that wasn't would be seen when what the API server keeps has
	// expired.
	if _, err := s.Issuer().RotateKey(t.Context(), issuer.RotateOptions{Emergency: true}); err != nil {
		t.Fatal(err)
	}
	_, access = tokens(t, s)
	accepts(t, a, access, subject)
}

func accepts(t *testing.T, a authenticator.Token, token, subject string) {
	t.Helper()
	answer, ok, err := a.AuthenticateToken(t.Context(), token)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if who := answer.User; who.GetName() != "jot:"+subject || !slices.Equal(who.GetGroups(), []string{"jot:developers"}) {
		t.Errorf("%+v", who)
	}
}
