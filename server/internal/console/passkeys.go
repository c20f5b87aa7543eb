package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Passkeys is what this package needs of an *accounts.Accounts about passkeys (WebAuthn).
type Passkeys interface {
	BeginPasskeyLogIn(ctx context.Context, browser string) (options json.RawMessage, err error)
	LogInWithPasskey(ctx context.Context, browser string, answer []byte, from issuer.Device) (issuer.Proof, error)
	CompleteWithPasskey(ctx context.Context, challenge string, answer []byte, from issuer.Device) (issuer.Proof, error)
	Factors(ctx context.Context, subject string) ([]issuer.Factor, error)
	EnrolPasskey(ctx context.Context, subject, password string, from issuer.Device) (options json.RawMessage, err error)
	ConfirmPasskey(ctx context.Context, subject, name string, answer []byte, from issuer.Device) (made issuer.Passkey, codes []string, err error)
	RenamePasskey(ctx context.Context, subject, id, name string) error
	RemovePasskey(ctx context.Context, subject, id string) error
}

// recentLogin is how long ago somebody may have logged in who changes how to log in: whoever finds an open browser
// doesn't.
const recentLogin = 10 * time.Minute

// passkeysView is what the page shows on which somebody looks after their passkeys.
type passkeysView struct {
	Passkeys      []passkeyItem
	Factored      bool // the account has a second factor, of whichever kind
	RecoveryCodes int  // that are left
	Problem       string
}

type passkeyItem struct {
	ID, Name    string
	Added, Used string // days
	BackedUp    bool
}

// newPasskeyView is what the page shows whose script asks the browser for a passkey.
type newPasskeyView struct{ Options string }

func (v newPasskeyView) scripted() bool { return true }

// logInWithPasskey answers POST /login-passkey: somebody proves who they are without a password, and the request goes
// on.
func (c *Console) logInWithPasskey(w http.ResponseWriter, r *http.Request) {
	form, p, err := c.openForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	proof, err := c.accounts.LogInWithPasskey(web.Acting(w, r), p.Browser, []byte(form.Get("credential")), deviceOf(r))
	var secret string
	if err == nil {
		secret, err = c.signIn(w, r, proof, issuer.ErrPasskey)
	}
	if err != nil {
		c.loginFailed(w, r, p, "", err)
		return
	}
	c.goOn(w, r, p, secret)
}

// askPasskey is what the page to log in on asks the browser for; "" where there are no passkeys.
func (c *Console) askPasskey(r *http.Request, p pending) (string, error) {
	options, err := c.accounts.BeginPasskeyLogIn(r.Context(), p.Browser)
	if errors.Is(err, issuer.ErrNoPasskeys) {
		return "", nil
	}
	return string(options), err
}

// showPasskeys answers GET /passkeys.
func (c *Console) showPasskeys(w http.ResponseWriter, r *http.Request) {
	if _, err := web.ParseQuery(r); err != nil {
		c.fail(w, r, err)
		return
	}
	c.writePasskeys(w, r, http.StatusOK, "")
}

func (c *Console) writePasskeys(w http.ResponseWriter, r *http.Request, status int, problem string) {
	_, factors, err := c.changing(r)
	if err != nil {
		c.passkeysFailed(w, r, err)
		return
	}
	view := passkeysView{Problem: problem}
	for _, f := range factors {
		view.Factored, view.RecoveryCodes = true, f.RecoveryCodes
		if f.Passkey != nil {
			view.Passkeys = append(view.Passkeys, itemOf(*f.Passkey))
		}
	}
	c.pages.write(w, r, status, "passkeys.html", "", view)
}

func itemOf(p issuer.Passkey) passkeyItem {
	item := passkeyItem{ID: p.ID, Name: p.Name, Added: p.Created.Format(time.DateOnly), BackedUp: p.BackedUp}
	if !p.LastUsed.IsZero() {
		item.Used = p.LastUsed.Format(time.DateOnly)
	}
	return item
}

// errLogInAgain is a sign-in that is too long ago for a change of how to log in, or lacks the account's second factor.
var errLogInAgain = errors.New("console: log in again")

// changing finds who may change how they log in, and their factors: somebody who is signed in here, since not long ago
// and with the second factor that the account has. It fails with errLogInAgain.
func (c *Console) changing(r *http.Request) (subject string, factors []issuer.Factor, err error) {
	s, err := c.issuer.SignedIn(r.Context(), signInOf(r))
	if errors.Is(err, issuer.ErrNotFound) {
		err = errLogInAgain
	}
	if err != nil {
		return "", nil, err
	}
	now, err := c.issuer.Now(r.Context())
	if err != nil {
		return "", nil, err
	}
	if factors, err = c.accounts.Factors(r.Context(), s.Subject); err != nil {
		return "", nil, err
	}
	if now.Sub(s.AuthTime) > recentLogin || len(factors) > 0 && !slices.Contains(s.AMR, "mfa") {
		return "", nil, errLogInAgain
	}
	return s.Subject, factors, nil
}

// decodeChanging reads the request's form, and then is changing.
func (c *Console) decodeChanging(w http.ResponseWriter, r *http.Request) (form url.Values, subject string, err error) {
	if form, err = web.DecodeForm(w, r); err == nil {
		subject, _, err = c.changing(r)
	}
	return form, subject, err
}

// newPasskey answers POST /new-passkey: somebody has typed their password, and gets the page that makes a passkey.
func (c *Console) newPasskey(w http.ResponseWriter, r *http.Request) {
	form, subject, err := c.decodeChanging(w, r)
	var options json.RawMessage
	if err == nil {
		options, err = c.accounts.EnrolPasskey(r.Context(), subject, form.Get("password"), deviceOf(r))
	}
	if err != nil {
		c.passkeysFailed(w, r, err)
		return
	}
	c.pages.write(w, r, http.StatusOK, "newpasskey.html", "", newPasskeyView{string(options)})
}

// addPasskey answers POST /add-passkey: the browser has made one.
func (c *Console) addPasskey(w http.ResponseWriter, r *http.Request) {
	form, subject, err := c.decodeChanging(w, r)
	var codes []string
	if err == nil {
		_, codes, err = c.accounts.ConfirmPasskey(web.Acting(w, r), subject, form.Get("name"), []byte(form.Get("credential")), deviceOf(r))
	}
	switch {
	case err != nil:
		c.passkeysFailed(w, r, err)
	case len(codes) > 0:
		c.pages.write(w, r, http.StatusOK, "recoverycodes.html", "", recoveryCodesView{Codes: codes})
	default:
		redirect(w, c.base+"/passkeys")
	}
}

// changePasskey answers POST /change-passkey.
func (c *Console) changePasskey(w http.ResponseWriter, r *http.Request) {
	form, subject, err := c.decodeChanging(w, r)
	if err == nil {
		switch form.Get("change") {
		case "rename":
			err = c.accounts.RenamePasskey(web.Acting(w, r), subject, form.Get("id"), form.Get("name"))
		case "remove":
			err = c.accounts.RemovePasskey(web.Acting(w, r), subject, form.Get("id"))
		}
	}
	if err != nil && !errors.Is(err, issuer.ErrNotFound) { // gone already: the page shows it
		c.passkeysFailed(w, r, err)
		return
	}
	redirect(w, c.base+"/passkeys")
}

// passkeysFailed shows the page again, with what to do, or sends the browser to log in.
func (c *Console) passkeysFailed(w http.ResponseWriter, r *http.Request, err error) {
	var throttled *issuer.ThrottledError
	var input *issuer.InputError
	switch {
	case errors.Is(err, errLogInAgain):
		if err := c.wait(w, r, "/login", pending{Passkeys: true}); err != nil {
			c.fail(w, r, err)
		}
	case errors.As(err, &throttled):
		retryAfter(w, web.WholeSeconds(throttled.RetryAfter))
		c.writePasskeys(w, r, http.StatusTooManyRequests, "Too many failed attempts. Wait a moment before the next.")
	case errors.Is(err, issuer.ErrInvalidCredentials):
		c.writePasskeys(w, r, http.StatusBadRequest, "Wrong password.")
	case errors.Is(err, issuer.ErrCode):
		c.writePasskeys(w, r, http.StatusBadRequest, "That took too long. Begin again.")
	case errors.Is(err, issuer.ErrPasskey), errors.Is(err, issuer.ErrTaken):
		c.writePasskeys(w, r, http.StatusBadRequest, "That passkey can’t be added. Try another device.")
	case errors.Is(err, issuer.ErrNoPasskeys):
		c.pages.refuse(w, r, http.StatusForbidden, "There are no passkeys here: this server’s address has no name.")
	case errors.As(err, &input):
		c.writePasskeys(w, r, http.StatusBadRequest, "The "+input.Field+" "+input.Reason+".")
	default:
		c.fail(w, r, err)
	}
}
