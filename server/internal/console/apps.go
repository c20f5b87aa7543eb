package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Consents are what people have allowed to apps.
type Consents interface {
	AllowancesSignedIn(ctx context.Context, signIn string) (subject string, all []issuer.Allowance, err error)
	WithdrawConsent(ctx context.Context, sub, clientID string) error
}

// pendingApps is the page, as its form carries it: nobody takes back what was shown to somebody else.
type pendingApps struct{ Subject, Browser string }

const purposeApps = "apps"

// appsView is what the page shows on which somebody sees what it has allowed, and takes it back.
type appsView struct {
	Request string // sealed
	Apps    []appItem
}

// appItem is one app, with what it may at each API.
type appItem struct {
	ID, Name string
	Grants   []appGrant
}

type appGrant struct {
	Resource string
	Items    []scopeItem
}

// showApps answers GET /apps.
func (c *Console) showApps(w http.ResponseWriter, r *http.Request) {
	subject, all, err := c.issuer.AllowancesSignedIn(r.Context(), signInOf(r))
	if errors.Is(err, issuer.ErrNotFound) {
		if err = c.wait(w, r, "/login", pending{Apps: true}); err == nil {
			return
		}
	}
	view := appsView{Apps: appItems(all)}
	if err == nil {
		view.Request, err = c.issuer.Seal(r.Context(), purposeApps, pendingApps{subject, browser(w, r)})
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.pages.write(w, r, http.StatusOK, "apps.html", "", view)
}

// appItems puts what one app may in one place. Those of an app follow each other.
func appItems(all []issuer.Allowance) (apps []appItem) {
	for _, a := range all {
		if last := len(apps) - 1; last < 0 || apps[last].ID != a.ClientID {
			apps = append(apps, appItem{ID: a.ClientID, Name: cmp.Or(a.ClientName, a.ClientID)})
		}
		app := &apps[len(apps)-1]
		app.Grants = append(app.Grants, appGrant{Resource: cmp.Or(a.ResourceName, a.Resource), Items: items(a.Own, a.Scope)})
	}
	return apps
}

// withdraw answers POST /apps: somebody takes back what it has allowed to an app.
func (c *Console) withdraw(w http.ResponseWriter, r *http.Request) {
	form, err := web.DecodeForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	var p pendingApps
	err = c.issuer.Open(r.Context(), purposeApps, form.Get("request"), &p)
	if err == nil && !sameText(p.Browser, browserOf(r)) {
		err = issuer.ErrPending
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	subject, _, err := c.issuer.AllowancesSignedIn(r.Context(), signInOf(r))
	if err == nil && subject == p.Subject {
		err = c.issuer.WithdrawConsent(web.Acting(w, r), subject, form.Get("client"))
	}
	if err != nil && !errors.Is(err, issuer.ErrNotFound) { // which is gone already, or nobody is signed in
		c.fail(w, r, err)
		return
	}
	redirect(w, c.base+"/apps")
}
