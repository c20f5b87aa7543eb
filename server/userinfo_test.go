package server_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// identityToken is an access token with a scope of OpenID Connect, as somebody allows it to a device.
func (s *site) identityToken(t *testing.T, subject string, scope ...string) string {
	t.Helper()
	i := s.server.Issuer()
	secret, _, err1 := i.SignIn(t.Context(), issuer.Proof{Subject: subject, AMR: []string{"pwd"}}, "")
	begun, err2 := i.StartDevice(t.Context(), issuer.DeviceRequest{ClientID: "client_tv", Scope: scope})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	ask, err := i.FindDevice(t.Context(), secret, begun.UserCode)
	if err == nil {
		err = i.AnswerDevice(t.Context(), secret, issuer.DeviceAnswer{Code: ask.Code, Subject: ask.Subject, Scope: ask.Scope, Allow: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := i.RedeemDevice(t.Context(), issuer.DeviceGrant{DeviceCode: begun.DeviceCode, ClientID: "client_tv"})
	if err != nil {
		t.Fatal(err)
	}
	return tokens.Access
}

// TestUserInfoOfAccounts: the scope email opens the account's own address as soon as it's verified, profile its name,
// and the subject's claims come first. A resource's own scope of such a name opens nothing.
func TestUserInfoOfAccounts(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		info := func(sub string, scope ...string) object {
			t.Helper()
			var claims object
			if err := json.Unmarshal(s.get(t, "/userinfo", s.identityToken(t, sub, scope...)), &claims); err != nil {
				t.Fatal(err)
			}
			return claims
		}
		want := func(got object, members object) {
			t.Helper()
			a, err1 := json.Marshal(got)
			b, err2 := json.Marshal(members)
			if err := errors.Join(err1, err2); err != nil || string(a) != string(b) {
				t.Errorf("%s, %v, want %s", a, err, b)
			}
		}
		var made struct {
			Subject string `json:"sub"`
		}
		answer := s.want(t, http.StatusCreated, "/v1/signup", "", object{"username": "Ada", "password": password, "email": "ada@example.com"})
		if err := json.Unmarshal(answer, &made); err != nil {
			t.Fatal(err)
		}
		sub := made.Subject
		want(info(sub, "openid", "email"), object{"sub": sub})
		s.want(t, http.StatusNoContent, "/v1/email/confirm", "", object{"code": s.mail.code(t, "ada@example.com")})
		want(info(sub, "openid", "email"), object{"sub": sub, "email": "ada@example.com", "email_verified": true})
		want(info(sub, "openid"), object{"sub": sub})
		if err := s.server.Issuer().ChangeSubject(t.Context(), sub, issuer.Change{Claims: json.RawMessage(`{"email":"work@example.com","name":"Ada L."}`)}); err != nil {
			t.Fatal(err)
		}
		want(info(sub, "openid", "email"), object{"sub": sub, "email": "work@example.com"})
		want(info(sub, "openid", "email", "profile"), object{"sub": sub, "email": "work@example.com"})
	}, func(c *server.Config) {
		c.Issuer.Resources[0].Scopes = append(c.Issuer.Resources[0].Scopes, "profile")
		c.SignUpScope = append(c.SignUpScope, "profile")
		c.Issuer.Clients = append(c.Issuer.Clients, issuer.Client{ID: "client_tv", Scopes: []string{"pets:read", "profile"}, DeviceGrant: true})
	})
}
