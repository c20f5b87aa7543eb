package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jot-auth/jot/server/internal/console"
	"github.com/jot-auth/jot/server/issuer"
)

// meddler does something each time that a request was decided on.
type meddler struct {
	*issuer.Issuer
	meddle func()
}

func (m meddler) Authorize(ctx context.Context, a issuer.Authorization, signIn string, allowed issuer.Shown) (issuer.Decision, error) {
	d, err := m.Issuer.Authorize(ctx, a, signIn, allowed)
	m.meddle()
	return d, err
}

// TestConsentIsToWhatWasShown: what a person gains between the look at what they allowed and the consent is no part of
// it.
func TestConsentIsToWhatWasShown(t *testing.T) {
	f := serve(t)
	may := func(scope ...string) {
		if err := f.issuer.ChangeSubject(t.Context(), f.ada, issuer.Change{Scope: scope}); err != nil {
			t.Error(err)
		}
	}
	may("pets:read")
	b := f.browser()
	page := b.logIn(b.authorize("client_id", other, "scope", ""))
	page.wantPage(t, 200, "pets:read")
	pages, err := console.New(meddler{f.issuer, func() { may("pets:read", "pets:write") }}, f.accounts, console.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mux, before := http.NewServeMux(), f.server
	pages.Register(mux)
	f.server = httptest.NewServer(mux)
	t.Cleanup(f.server.Close)
	code := b.submit(page, "/consent", "decision", "allow").code(t)
	f.server = before
	if tokens := f.tokens(code, "client_id", other); tokens["scope"] != "pets:read" {
		t.Errorf("the page showed pets:read, and the client got %v", tokens["scope"])
	}
	if all, err := f.issuer.Allowances(t.Context(), f.ada); err != nil || len(all) != 1 || len(all[0].Scope) != 1 {
		t.Errorf("remembered %+v, %v", all, err)
	}
}
