package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// pendingDevice is a device that waits for a person's word, as its page carries it.
type pendingDevice struct {
	Code    string // hash of the device code
	Browser string // as in pending
	Subject string // whom the page asks, and for what
	Scope   string
}

// deviceView is what the page shows on which somebody types a code.
type deviceView struct{ UserCode, Problem string }

// deviceConsentView is what the page shows on which somebody connects a device.
type deviceConsentView struct {
	Client   string
	Resource string
	UserCode string
	Request  string // sealed
	Items    []scopeItem
	Login    string // address to log in as somebody else
}

// deviceDoneView is what the page shows afterwards.
type deviceDoneView struct{ Allowed bool }

// toDevice sends the browser to the page on which a code is typed.
func (c *Console) toDevice(w http.ResponseWriter, userCode string) {
	address := c.base + "/device"
	if userCode != "" {
		address += "?" + url.Values{"user_code": {userCode}}.Encode()
	}
	redirect(w, address)
}

// showDevice answers GET /device (RFC 8628 §3.3). A code in its address is filled in, and nothing more: who is sent
// here with one that somebody else's device shows has to look at it. Nobody learns without a login whether a code is
// good.
func (c *Console) showDevice(w http.ResponseWriter, r *http.Request) {
	query, err := web.ParseQuery(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	code, _ := issuer.ParseUserCode(query.Get("user_code")) // what can't be one isn't filled in
	_, err = c.issuer.SignedIn(r.Context(), signInOf(r))
	if errors.Is(err, issuer.ErrNotFound) {
		if err = c.wait(w, r, "/login", pending{Device: true, UserCode: code}); err == nil {
			return
		}
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.writeDevice(w, r, http.StatusOK, deviceView{UserCode: code})
}

func (c *Console) writeDevice(w http.ResponseWriter, r *http.Request, status int, view deviceView) {
	c.pages.write(w, r, status, "device.html", "", view)
}

// findDevice answers POST /device: somebody has typed a code.
func (c *Console) findDevice(w http.ResponseWriter, r *http.Request) {
	form, err := web.DecodeForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	var ask issuer.DeviceAsk
	code, err := issuer.ParseUserCode(form.Get("user_code"))
	if err == nil {
		ask, err = c.guess(r, code)
	}
	if err != nil {
		c.deviceFailed(w, r, code, err)
		return
	}
	c.writeDeviceConsent(w, r, code, ask)
}

// guess looks a code up, for who is signed in.
func (c *Console) guess(r *http.Request, code string) (ask issuer.DeviceAsk, err error) {
	s, err := c.issuer.SignedIn(r.Context(), signInOf(r))
	if err != nil {
		return ask, err
	}
	err = c.accounts.GuessUserCode(r.Context(), s.Subject, deviceOf(r), func() (err error) {
		ask, err = c.issuer.FindDevice(r.Context(), signInOf(r), code)
		return err
	})
	return ask, err
}

func (c *Console) writeDeviceConsent(w http.ResponseWriter, r *http.Request, code string, ask issuer.DeviceAsk) {
	who := browser(w, r)
	sealed, err1 := c.issuer.Seal(r.Context(), purposeDevice, pendingDevice{Code: ask.Code, Browser: who, Subject: ask.Subject, Scope: strings.Join(ask.Scope, " ")})
	login, err2 := c.issuer.Seal(r.Context(), purposeAuthorization, pending{Device: true, UserCode: code, Browser: who})
	if err := errors.Join(err1, err2); err != nil {
		c.fail(w, r, err)
		return
	}
	c.pages.write(w, r, http.StatusOK, "deviceconsent.html", "", deviceConsentView{
		Client: nameOf(ask.Client), Resource: resourceName(ask.Resource), UserCode: code, Request: sealed, Items: items(ask.Resource.Scopes, ask.Scope),
		Login: c.base + "/login?request=" + url.QueryEscape(login),
	})
}

// decideDevice answers POST /device/decision: the person has decided about what the page showed.
func (c *Console) decideDevice(w http.ResponseWriter, r *http.Request) {
	form, err := web.DecodeForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	var p pendingDevice
	err = c.issuer.Open(r.Context(), purposeDevice, form.Get("request"), &p)
	if err == nil && !sameText(p.Browser, browserOf(r)) {
		err = issuer.ErrPending
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	allow := form.Get("decision") == "allow"
	err = c.issuer.AnswerDevice(web.Acting(w, r), signInOf(r), issuer.DeviceAnswer{Code: p.Code, Subject: p.Subject, Scope: strings.Fields(p.Scope), Allow: allow})
	if err != nil {
		c.deviceFailed(w, r, "", err)
		return
	}
	c.pages.write(w, r, http.StatusOK, "devicedone.html", "", deviceDoneView{Allowed: allow})
}

// deviceFailed shows the page to type a code again, with what to do.
func (c *Console) deviceFailed(w http.ResponseWriter, r *http.Request, code string, err error) {
	var throttled *issuer.ThrottledError
	switch {
	case errors.Is(err, issuer.ErrNotFound): // signed in no more
		c.toDevice(w, code)
	case errors.Is(err, issuer.ErrUserCode):
		c.writeDevice(w, r, http.StatusBadRequest, deviceView{Problem: "No device waits with this code. Look at it again, or begin anew on the device."})
	case errors.As(err, &throttled):
		retryAfter(w, web.WholeSeconds(throttled.RetryAfter))
		c.writeDevice(w, r, http.StatusTooManyRequests, deviceView{UserCode: code, Problem: "Too many wrong codes. Wait a moment before the next."})
	default:
		c.fail(w, r, err)
	}
}
