package console

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// loginView is what the page to log in on shows.
type loginView struct {
	Client    string // that the person goes on to; "": to connect a device
	Own       bool   // rather to look after their passkeys
	Request   string // sealed
	Username  string
	Problem   string
	Forgotten bool   // there is a way to a new password
	Passkey   string // what the script asks the browser for; "": there are no passkeys
}

func (v loginView) scripted() bool { return v.Passkey != "" }

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
	name, err := c.destination(r, p)
	if err == nil {
		view.Client, view.Own, view.Forgotten = name, p.Passkeys, c.mail
		view.Request, err = c.issuer.Seal(r.Context(), purposeAuthorization, p)
	}
	if err == nil {
		view.Passkey, err = c.askPasskey(r, p)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.pages.write(w, r, status, "login.html", p.Request.RedirectURI, view)
}

// logIn answers POST /login: somebody proves who they are, and the request goes on.
func (c *Console) logIn(w http.ResponseWriter, r *http.Request) {
	form, p, err := c.openForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	proof, err := c.accounts.LogIn(r.Context(), form.Get("username"), form.Get("password"), deviceOf(r))
	var half *issuer.SecondFactorError
	if errors.As(err, &half) {
		c.writeFactor(w, r, p, http.StatusOK, half, "")
		return
	}
	var secret string
	if err == nil {
		secret, err = c.signIn(w, r, proof, issuer.ErrInvalidCredentials)
	}
	if err != nil {
		c.loginFailed(w, r, p, form.Get("username"), err)
		return
	}
	c.goOn(w, r, p, secret)
}

// destination names the app that somebody logs in for; "" is a device of theirs, or what is their own.
func (c *Console) destination(r *http.Request, p pending) (string, error) {
	if p.Apps {
		return "your apps", nil
	}
	if p.Device || p.Passkeys {
		return "", nil
	}
	client, err := c.issuer.RedirectClient(r.Context(), p.Request.ClientID, p.Request.RedirectURI)
	return nameOf(client), err
}

// goOn takes who has logged in to what they logged in for.
func (c *Console) goOn(w http.ResponseWriter, r *http.Request, p pending, secret string) {
	if p.Device {
		c.toDevice(w, p.UserCode)
		return
	}
	if p.Apps {
		redirect(w, c.base+"/apps")
		return
	}
	if p.Passkeys {
		redirect(w, c.base+"/passkeys")
		return
	}
	if err := c.proceed(w, r, p.Request, secret); err != nil {
		c.answerError(w, r, p.Request, err)
	}
}

// signIn begins the browser's sign-in. A subject that is disabled or gone gets the answer of a wrong proof of this
// kind.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request, proof issuer.Proof, wrong error) (secret string, err error) {
	secret, life, err := c.issuer.SignIn(r.Context(), proof, signInOf(r))
	if errors.Is(err, issuer.ErrInvalidGrant) || errors.Is(err, issuer.ErrNotFound) {
		err = wrong
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
	case errors.Is(err, issuer.ErrCode):
		c.writeLogin(w, r, p, http.StatusBadRequest, loginView{Problem: "That took too long. Log in again."})
	case errors.Is(err, issuer.ErrInvalidCredentials):
		c.writeLogin(w, r, p, http.StatusBadRequest, loginView{Username: name, Problem: "Wrong username or password."})
	case errors.Is(err, issuer.ErrPasskey):
		c.writeLogin(w, r, p, http.StatusBadRequest, loginView{Problem: "That passkey isn’t known here. Use your password."})
	case errors.As(err, &throttled):
		retryAfter(w, web.WholeSeconds(throttled.RetryAfter))
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
