package console

import (
	"errors"
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// factorView is what the page shows that asks for a code after the password.
type factorView struct {
	Client    string // that the person goes on to; "": to connect a device
	Request   string // sealed
	Challenge string // says that the password was right
	Problem   string
}

// writeFactor shows the page, for the app that asked.
func (c *Console) writeFactor(w http.ResponseWriter, r *http.Request, p pending, status int, view factorView) {
	name, err := c.destination(r, p)
	if err == nil {
		view.Client = name
		view.Request, err = c.issuer.Seal(r.Context(), purposeAuthorization, p)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.pages.write(w, r, status, "factor.html", p.Request.RedirectURI, view)
}

// completeLogIn answers POST /factor: somebody proves the rest, and the request goes on.
func (c *Console) completeLogIn(w http.ResponseWriter, r *http.Request) {
	form, p, err := c.openForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	proof, err := c.accounts.CompleteLogIn(r.Context(), form.Get("challenge"), form.Get("code"), deviceOf(r))
	var secret string
	if err == nil {
		secret, err = c.signIn(w, r, proof)
	}
	if err != nil {
		c.factorFailed(w, r, p, form.Get("challenge"), err)
		return
	}
	c.goOn(w, r, p, secret)
}

// factorFailed shows the page again, with what to do. What another code wouldn't mend begins again with the password.
func (c *Console) factorFailed(w http.ResponseWriter, r *http.Request, p pending, challenge string, err error) {
	var throttled *issuer.ThrottledError
	view := factorView{Challenge: challenge}
	switch {
	case errors.Is(err, issuer.ErrFactor):
		view.Problem = "Wrong code. Wait for the next one, and enter that."
		c.writeFactor(w, r, p, http.StatusBadRequest, view)
	case errors.As(err, &throttled):
		retryAfter(w, int((throttled.RetryAfter+time.Second-1)/time.Second))
		view.Problem = "Too many failed attempts. Wait a moment before the next."
		c.writeFactor(w, r, p, http.StatusTooManyRequests, view)
	default:
		c.loginFailed(w, r, p, "", err)
	}
}
