package console

import (
	"errors"
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// loginView is what the page to log in on shows.
type loginView struct {
	Client    string // that the person goes on to; "": to connect a device
	Request   string // sealed
	Username  string
	Problem   string
	Forgotten bool // there is a way to a new password
}

// showLogin answers GET /login.
func (c *Console) showLogin(w http.ResponseWriter, r *http.Request) {
	p, err := c.openQuery(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.writeLogin(w, r, p, http.StatusOK, loginView{Username: p.Request.LoginHint})
}

// writeLogin shows the page, for the app that asked.
func (c *Console) writeLogin(w http.ResponseWriter, r *http.Request, p pending, status int, view loginView) {
	var client issuer.Client
	var err error
	if !p.Device {
		client, err = c.issuer.RedirectClient(r.Context(), p.Request.ClientID, p.Request.RedirectURI)
	}
	if err == nil {
		view.Client, view.Forgotten = nameOf(client), c.mail
		view.Request, err = c.issuer.Seal(r.Context(), purposeAuthorization, p)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.pages.write(w, r, status, "login.html", p.Request.RedirectURI, view)
}

// logIn answers POST /login: somebody proves who they are, and the request goes on.
func (c *Console) logIn(w http.ResponseWriter, r *http.Request) {
	form, err := web.DecodeForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p, err := c.open(r, form.Get("request"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	secret, err := c.signIn(w, r, form.Get("username"), form.Get("password"))
	if err != nil {
		c.loginFailed(w, r, p, form.Get("username"), err)
		return
	}
	if p.Device {
		c.toDevice(w, p.UserCode)
		return
	}
	if err := c.proceed(w, r, p.Request, secret); err != nil {
		c.answerError(w, r, p.Request, err)
	}
}

// signIn checks a name and a password and begins the browser's sign-in. A subject that is disabled or gone gets the answer of a wrong password.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request, name, password string) (secret string, err error) {
	proof, err := c.accounts.LogIn(r.Context(), name, password, deviceOf(r))
	if err != nil {
		return "", err
	}
	secret, life, err := c.issuer.SignIn(r.Context(), proof, signInOf(r))
	if errors.Is(err, issuer.ErrInvalidGrant) || errors.Is(err, issuer.ErrNotFound) {
		err = issuer.ErrInvalidCredentials
	}
	if err != nil {
		return "", err
	}
	setSignIn(w, secret, life)
	setDevice(w, proof.DeviceToken)
	return secret, nil
}

// loginFailed shows the page again, with what to do.
func (c *Console) loginFailed(w http.ResponseWriter, r *http.Request, p pending, name string, err error) {
	var throttled *issuer.ThrottledError
	switch {
	case errors.Is(err, issuer.ErrInvalidCredentials):
		c.writeLogin(w, r, p, http.StatusBadRequest, loginView{Username: name, Problem: "Wrong username or password."})
	case errors.As(err, &throttled):
		retryAfter(w, int((throttled.RetryAfter+time.Second-1)/time.Second))
		c.writeLogin(w, r, p, http.StatusTooManyRequests, loginView{Username: name, Problem: "Too many failed attempts. Wait a moment before the next."})
	case errors.Is(err, issuer.ErrBusy):
		retryAfter(w, 1)
		c.writeLogin(w, r, p, http.StatusServiceUnavailable, loginView{Username: name, Problem: "The server has too much to do. Try again in a moment."})
	default:
		c.fail(w, r, err)
	}
}

// nameOf is what a person knows a client by.
func nameOf(client issuer.Client) string {
	if client.Name != "" {
		return client.Name
	}
	return client.ID
}
