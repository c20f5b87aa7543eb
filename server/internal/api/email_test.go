package api_test

import (
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/api"
)

// TestEmailWantsTheFactor: where an account has a second factor, the address to which its letters go is changed by a
// login with that, and by none of before.
func TestEmailWantsTheFactor(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	app, _, before := f.enrol()
	change := func(access string) answer {
		return f.call("POST", "/v1/email", `{"email":"eve@example.net","password":"`+password+`"}`, bearer(access)...)
	}
	a := change(before)
	a.want(t, 401)
	if got := a.header.Get("WWW-Authenticate"); !strings.Contains(got, `error="insufficient_user_authentication"`) || !strings.Contains(got, `acr_values="urn:jot:acr:2fa"`) {
		t.Errorf("challenged with %q", got)
	}
	factored := f.complete(f.halfway(), app.next())
	factored.want(t, 200)
	if a := change(factored.text("access_token")); a.text("type") != "urn:jot:problem:no-mail" { // which is asked for afterwards
		t.Errorf("%d %s", a.status, a.body)
	}
}
