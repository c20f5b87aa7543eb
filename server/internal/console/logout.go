package console

import (
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// pendingLogout is a logout that waits for a person's word.
type pendingLogout struct {
	Request issuer.Logout
	State   string
	Browser string
	SignIn  string // hash of the sign-in's secret: nobody says yes for somebody else
}

// logoutView is what the page shows that asks.
type logoutView struct {
	Client  string
	Request string // sealed
}

// doneView is what the page shows after a logout that leads nowhere.
type doneView struct{}

// askLogout answers GET /oauth2/logout. Where the client has shown for whom it speaks, it's done at once, and otherwise
// the person is asked.
func (c *Console) askLogout(w http.ResponseWriter, r *http.Request) {
	query, err := web.ParseQuery(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	request := issuer.Logout{Hint: query.Get("id_token_hint"), ClientID: query.Get("client_id"), RedirectURI: query.Get("post_logout_redirect_uri")}
	d, err := c.issuer.CheckLogout(r.Context(), request, signInOf(r))
	switch {
	case err != nil:
		c.fail(w, r, err)
	case d.Ask:
		c.writeLogout(w, r, pendingLogout{Request: request, State: query.Get("state")}, d)
	default:
		c.finishLogout(w, r, d, query.Get("state"))
	}
}

func (c *Console) writeLogout(w http.ResponseWriter, r *http.Request, p pendingLogout, d issuer.LogoutDecision) {
	p.Browser, p.SignIn = browser(w, r), hashOf(signInOf(r))
	sealed, err := c.issuer.Seal(r.Context(), purposeLogout, p)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.pages.write(w, r, http.StatusOK, "logout.html", d.RedirectURI, logoutView{Client: nameOf(d.Client), Request: sealed})
}

// logOut answers POST /logout: the person has said yes.
func (c *Console) logOut(w http.ResponseWriter, r *http.Request) {
	form, err := web.DecodeForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	var p pendingLogout
	if err := c.issuer.Open(r.Context(), purposeLogout, form.Get("request"), &p); err != nil {
		c.fail(w, r, err)
		return
	}
	if !sameText(p.Browser, browserOf(r)) || !sameText(p.SignIn, hashOf(signInOf(r))) {
		c.fail(w, r, issuer.ErrPending)
		return
	}
	d, err := c.issuer.CheckLogout(r.Context(), p.Request, signInOf(r))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.finishLogout(w, r, d, p.State)
}

// finishLogout ends the sign-in, and sends the browser on to where the client wants it.
func (c *Console) finishLogout(w http.ResponseWriter, r *http.Request, d issuer.LogoutDecision, state string) {
	if err := c.issuer.LogOut(r.Context(), d, signInOf(r)); err != nil {
		c.fail(w, r, err)
		return
	}
	clearSignIn(w)
	if d.RedirectURI == "" {
		c.pages.write(w, r, http.StatusOK, "done.html", "", doneView{})
		return
	}
	address := d.RedirectURI
	if state != "" {
		address = extend(address, url.Values{"state": {state}})
	}
	redirect(w, address)
}
