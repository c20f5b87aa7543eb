package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// factorView is what the page shows that asks for a second factor after the password.
type factorView struct {
	Client    string // that the person goes on to; "": to connect a device
	Own       bool   // rather to look after their passkeys
	Request   string // sealed
	Challenge string // says that the password was right
	Codes     bool   // the account has one-time codes
	Passkey   string // what the script asks the browser for; "": the account has no passkey
	Problem   string
}

func (v factorView) scripted() bool { return v.Passkey != "" }

// writeFactor shows the page, for the app that asked.
func (c *Console) writeFactor(w http.ResponseWriter, r *http.Request, p pending, status int, half *issuer.SecondFactorError, problem string) {
	view := factorView{Own: p.Passkeys, Challenge: half.Challenge, Codes: slices.Contains(half.Factors, "totp"), Passkey: string(half.Passkey), Problem: problem}
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
	proof, wrong, err := c.second(w, r, form)
	var secret string
	if err == nil {
		secret, err = c.signIn(w, r, proof, wrong)
	}
	if err != nil {
		c.factorFailed(w, r, p, form.Get("challenge"), err)
		return
	}
	c.goOn(w, r, p, secret)
}

// second takes a passkey's answer, where the form has one, or a code, and says what a wrong one is.
func (c *Console) second(w http.ResponseWriter, r *http.Request, form url.Values) (proof issuer.Proof, wrong, err error) {
	if answer := form.Get("credential"); answer != "" {
		proof, err = c.accounts.CompleteWithPasskey(web.Acting(w, r), form.Get("challenge"), []byte(answer), deviceOf(r))
		return proof, issuer.ErrPasskey, err
	}
	proof, err = c.accounts.CompleteLogIn(r.Context(), form.Get("challenge"), form.Get("code"), deviceOf(r))
	return proof, issuer.ErrFactor, err
}

// factorFailed shows the page again, with what to do. What another try wouldn't mend begins again with the password.
func (c *Console) factorFailed(w http.ResponseWriter, r *http.Request, p pending, challenge string, err error) {
	var throttled *issuer.ThrottledError
	status, problem := http.StatusBadRequest, ""
	switch {
	case errors.Is(err, issuer.ErrFactor):
		problem = "Wrong code. Wait for the next one, and enter that."
	case errors.Is(err, issuer.ErrPasskey):
		problem = "That passkey isn’t one of yours. Use another, or enter a code."
	case errors.As(err, &throttled):
		retryAfter(w, web.WholeSeconds(throttled.RetryAfter))
		status, problem = http.StatusTooManyRequests, "Too many failed attempts. Wait a moment before the next."
	default:
		c.loginFailed(w, r, p, "", err)
		return
	}
	half, err := c.accounts.AskAgain(r.Context(), challenge)
	if err != nil {
		c.loginFailed(w, r, p, "", err)
		return
	}
	c.writeFactor(w, r, p, status, half, problem)
}
