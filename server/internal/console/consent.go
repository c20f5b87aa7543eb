package console

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/jot-auth/jot/server/issuer"
)

// consentView is what the page shows on which a person allows an app something.
type consentView struct {
	Client   string
	Resource string
	Request  string // sealed
	Items    []scopeItem
	Login    string // address to log in as somebody else
}

// scopeItem is one scope, in words where it is one of OpenID Connect.
type scopeItem struct{ Name, Meaning string }

var meanings = map[string]string{
	"openid":         "know who you are",
	"profile":        "see your name and profile",
	"email":          "see your e-mail address",
	"offline_access": "use this while you are away",
}

// showConsent answers GET /consent. What needs no consent any more, or a login first, goes there.
func (c *Console) showConsent(w http.ResponseWriter, r *http.Request) {
	p, err := c.openQuery(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	d, err := c.issuer.Authorize(r.Context(), p.Request, signInOf(r), issuer.Shown{})
	switch {
	case err != nil:
		c.answerError(w, r, p.Request, err)
	case d.Step == issuer.StepConsent:
		c.writeConsent(w, r, p, d)
	case d.Step == issuer.StepLogIn:
		if err := c.wait(w, r, "/login", p); err != nil {
			c.fail(w, r, err)
		}
	default:
		c.answer(w, r, p.Request, url.Values{"code": {d.Code}})
	}
}

// writeConsent shows the page. What it shows, and to whom, is sealed with it: nothing else is allowed by it.
func (c *Console) writeConsent(w http.ResponseWriter, r *http.Request, p pending, d issuer.Decision) {
	p.Shown = d.Shown()
	sealed, err := c.issuer.Seal(r.Context(), purposeAuthorization, p)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	view := consentView{
		Client: nameOf(d.Client), Resource: resourceName(d.Resource), Request: sealed, Login: c.base + "/login?request=" + url.QueryEscape(sealed), Items: items(d.Resource.Scopes, d.Scope),
	}
	c.pages.write(w, r, http.StatusOK, "consent.html", p.Request.RedirectURI, view)
}

// resourceName is what a person knows a resource by.
func resourceName(resource issuer.Resource) string {
	if resource.Name != "" {
		return resource.Name
	}
	return resource.Audience
}

// items says what scopes open; a resource's own means what the resource says.
func items(own, scope []string) (all []scopeItem) {
	for _, one := range scope {
		item := scopeItem{Name: one}
		if !slices.Contains(own, one) {
			item.Meaning = meanings[one]
		}
		all = append(all, item)
	}
	return all
}

// consent answers POST /consent: the person has decided.
func (c *Console) consent(w http.ResponseWriter, r *http.Request) {
	form, p, err := c.openForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if form.Get("decision") != "allow" {
		_, err := c.issuer.RedirectClient(r.Context(), p.Request.ClientID, p.Request.RedirectURI) // it may be gone since
		if err == nil {
			err = issuer.Refused("access_denied", "the subject doesn't allow it")
		}
		c.answerError(w, r, p.Request, err)
		return
	}
	if err := c.allow(w, r, p); err != nil {
		c.answerError(w, r, p.Request, err)
	}
}

// allow gives the client its code, if the page showed what it gets, to whom it was shown.
func (c *Console) allow(w http.ResponseWriter, r *http.Request, p pending) error {
	d, err := c.issuer.Authorize(r.Context(), p.Request, signInOf(r), p.Shown)
	switch {
	case err != nil:
		return err
	case d.Step == issuer.StepAnswer:
		c.answer(w, r, p.Request, url.Values{"code": {d.Code}})
		return nil
	case d.Step == issuer.StepLogIn:
		return c.wait(w, r, "/login", pending{Request: p.Request})
	}
	c.writeConsent(w, r, p, d)
	return nil
}
