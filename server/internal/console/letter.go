package console

import (
	"errors"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// letterView is what a page shows that a letter led to. Its code goes along in its form: asking for the page uses
// nothing up, since what looks through mail for what is malicious follows every link.
type letterView struct{ Code, Problem string }

// letterDoneView is what a page shows when it's done.
type letterDoneView struct{ Title, Text string }

// forgottenView is what the page shows on which somebody asks for the letter.
type forgottenView struct{ Problem string }

// showVerify answers GET /verify-email.
func (c *Console) showVerify(w http.ResponseWriter, r *http.Request) {
	c.showLetter(w, r, "verify.html")
}

// showReset answers GET /reset-password.
func (c *Console) showReset(w http.ResponseWriter, r *http.Request) { c.showLetter(w, r, "reset.html") }

// showLetter keeps the page's address, which has a code in it, out of every Referer. The origin is left: without it a
// browser says null, and the form passes for another site's.
func (c *Console) showLetter(w http.ResponseWriter, r *http.Request, page string) {
	w.Header().Set("Referrer-Policy", "strict-origin")
	query, err := web.ParseQuery(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.pages.write(w, r, http.StatusOK, page, "", letterView{Code: query.Get("code")})
}

// verify answers POST /verify-email: the address is the account's.
func (c *Console) verify(w http.ResponseWriter, r *http.Request) {
	form, err := web.DecodeForm(w, r)
	if err == nil {
		err = c.accounts.VerifyEmail(web.Acting(w, r), form.Get("code"))
	}
	if err != nil {
		c.letterFailed(w, r, err)
		return
	}
	c.writeLetterDone(w, r, "Your address is confirmed", "Thank you. You can close this page.")
}

// reset answers POST /reset-password: the account has a new password, if it can have that one.
func (c *Console) reset(w http.ResponseWriter, r *http.Request) {
	form, err := web.DecodeForm(w, r)
	if err == nil {
		err = c.accounts.CompleteReset(web.Acting(w, r), form.Get("code"), form.Get("password"))
	}
	var bad *issuer.InputError
	switch {
	case errors.As(err, &bad):
		c.pages.write(w, r, http.StatusBadRequest, "reset.html", "", letterView{Code: form.Get("code"), Problem: "The password " + bad.Reason + "."})
	case err != nil:
		c.letterFailed(w, r, err)
	default:
		clearSignIn(w)
		c.writeLetterDone(w, r, "You have a new password", "You are logged out everywhere. Go back to the app, and log in with it.")
	}
}

func (c *Console) writeLetterDone(w http.ResponseWriter, r *http.Request, title, text string) {
	c.pages.write(w, r, http.StatusOK, "letterdone.html", "", letterDoneView{title, text})
}

// letterFailed shows what became of a letter's code.
func (c *Console) letterFailed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, issuer.ErrCode):
		c.pages.refuse(w, r, http.StatusBadRequest, "This link was used before, or has expired. Ask for a new one.")
	case errors.Is(err, issuer.ErrTaken):
		c.pages.refuse(w, r, http.StatusConflict, "Another account has this address.")
	default:
		c.fail(w, r, err)
	}
}

// showForgotten answers GET /forgotten-password.
func (c *Console) showForgotten(w http.ResponseWriter, r *http.Request) {
	c.pages.write(w, r, http.StatusOK, "forgotten.html", "", forgottenView{})
}

// forgotten answers POST /forgotten-password. The answer is the same whether or not an account has the address.
func (c *Console) forgotten(w http.ResponseWriter, r *http.Request) {
	form, err := web.DecodeForm(w, r)
	if err == nil {
		err = c.accounts.RequestReset(r.Context(), form.Get("email"), deviceOf(r))
	}
	var bad *issuer.InputError
	var throttled *issuer.ThrottledError
	again := func(status int, problem string) {
		c.pages.write(w, r, status, "forgotten.html", "", forgottenView{problem})
	}
	switch {
	case errors.As(err, &bad):
		again(http.StatusBadRequest, "The address "+bad.Reason+".")
	case errors.As(err, &throttled):
		retryAfter(w, web.WholeSeconds(throttled.RetryAfter))
		again(http.StatusTooManyRequests, "Too many requests. Wait a moment before the next.")
	case errors.Is(err, issuer.ErrNoMail):
		c.pages.refuse(w, r, http.StatusForbidden, "This server sends no mail. Ask those who run it for a new password.")
	case err != nil:
		c.fail(w, r, err)
	default:
		c.writeLetterDone(w, r, "Look into your mail", "If an account has verified this address, a letter is on its way, with a link that is good for 30 minutes.")
	}
}
