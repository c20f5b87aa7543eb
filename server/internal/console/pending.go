package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// pending is an authorization request that waits for a person, as its page carries it.
type pending struct {
	Request issuer.Authorization
	Browser string // hash of the browser's cookie: a request that waits in one isn't answered in another
	Shown   issuer.Shown

	Device   bool   // nobody asked: somebody is to connect a device, and Request is empty
	UserCode string // of that device, as far as it's known
	Apps     bool   // nobody asked either: somebody looks at what it has allowed
	Passkeys bool   // nobody asked either: somebody is to look after their passkeys
}

const (
	purposeAuthorization = "authorization"
	purposeLogout        = "logout"
	purposeDevice        = "device"
)

// browserCookie tells browsers apart, and lives as long as they run. It's no credential: nobody is known by it.
const browserCookie = "__Host-jot-browser"

// browser returns the hash of the browser's cookie, and gives it one where it has none.
func browser(w http.ResponseWriter, r *http.Request) string {
	if hash := browserOf(r); hash != "" {
		return hash
	}
	b := make([]byte, 32)
	rand.Read(b)
	value := base64.RawURLEncoding.EncodeToString(b)
	http.SetCookie(w, &http.Cookie{Name: browserCookie, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return hashOf(value)
}

// browserOf is the hash of the browser's cookie, "" where there is none.
func browserOf(r *http.Request) string {
	if cookies := r.CookiesNamed(browserCookie); len(cookies) == 1 {
		return hashOf(cookies[0].Value)
	}
	return ""
}

func hashOf(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// wait sends the browser to a page that carries the request on.
func (c *Console) wait(w http.ResponseWriter, r *http.Request, page string, p pending) error {
	p.Browser = browser(w, r)
	sealed, err := c.issuer.Seal(r.Context(), purposeAuthorization, p)
	if err == nil {
		redirect(w, c.base+page+"?request="+url.QueryEscape(sealed))
	}
	return err
}

// open reads the request that a page carries, in its address or in its form, if it's this browser's.
func (c *Console) open(r *http.Request, text string) (pending, error) {
	var p pending
	if err := c.issuer.Open(r.Context(), purposeAuthorization, text, &p); err != nil {
		return pending{}, err
	}
	if !sameText(p.Browser, browserOf(r)) {
		return pending{}, issuer.ErrPending
	}
	return p, nil
}

func sameText(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// openQuery is open for a page that is asked for.
func (c *Console) openQuery(r *http.Request) (pending, error) {
	query, err := web.ParseQuery(r)
	if err != nil {
		return pending{}, err
	}
	return c.open(r, query.Get("request"))
}

// openForm is open for a page's form that was sent.
func (c *Console) openForm(w http.ResponseWriter, r *http.Request) (url.Values, pending, error) {
	form, err := web.DecodeForm(w, r)
	if err != nil {
		return nil, pending{}, err
	}
	p, err := c.open(r, form.Get("request"))
	return form, p, err
}
