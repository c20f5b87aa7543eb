// Package console is what a person sees of the server: the authorization endpoint (RFC 6749 §3.1) with its pages to log
// in and to consent on, and the logout (OpenID Connect RP-Initiated Logout 1.0). The pages work without scripts. Only
// passkeys need one, which is a file of this server's (pages/passkey.js).
//
// It translates between a browser and the domain; the rules are in packages issuer and accounts. What waits for a
// person travels sealed in the page's own form, so that nothing is stored for whoever merely asks.
package console

import (
	"context"
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Issuer is what this package needs of an *issuer.Issuer.
type Issuer interface {
	URL() string
	RedirectClient(ctx context.Context, id, redirectURI string) (issuer.Client, error)
	Authorize(ctx context.Context, a issuer.Authorization, signIn string, allowed issuer.Shown) (issuer.Decision, error)
	SignIn(ctx context.Context, p issuer.Proof, present string) (secret string, life time.Duration, err error)
	CheckLogout(ctx context.Context, l issuer.Logout, signIn string) (issuer.LogoutDecision, error)
	LogOut(ctx context.Context, d issuer.LogoutDecision, signIn string) error
	Seal(ctx context.Context, purpose string, content any) (string, error)
	Open(ctx context.Context, purpose, text string, content any) error
	Devices
	Consents
}

// Devices are those that wait for a person's word (RFC 8628).
type Devices interface {
	Now(ctx context.Context) (time.Time, error)
	SignedIn(ctx context.Context, signIn string) (issuer.SignIn, error)
	FindDevice(ctx context.Context, signIn, userCode string) (issuer.DeviceAsk, error)
	AnswerDevice(ctx context.Context, signIn string, a issuer.DeviceAnswer) error
}

// Accounts is what this package needs of an *accounts.Accounts.
type Accounts interface {
	LogIn(ctx context.Context, name, password string, from issuer.Device) (issuer.Proof, error)
	CompleteLogIn(ctx context.Context, challenge, code string, from issuer.Device) (issuer.Proof, error)
	AskAgain(ctx context.Context, challenge string) (*issuer.SecondFactorError, error)
	Passkeys
	RecoveryCodes
	GuessUserCode(ctx context.Context, subject string, from issuer.Device, try func() error) error
	VerifyEmail(ctx context.Context, code string) error
	RequestReset(ctx context.Context, address string, from issuer.Device) error
	CompleteReset(ctx context.Context, code, fresh string) error
}

// Options are choices about the pages. The zero value is ready to use.
type Options struct {
	// Templates is a folder whose files take the place of the built-in ones of the same name: page.html, login.html,
	// factor.html, consent.html, formpost.html, logout.html, apps.html, done.html, device.html, deviceconsent.html,
	// devicedone.html, verify.html, reset.html, forgotten.html, letterdone.html, passkeys.html, newpasskey.html,
	// recoverycodes.html, error.html, style.css and passkey.js. "" has none. They are read once.
	Templates string
	// Mail says that letters are sent, so that there is a way to a new password.
	Mail bool
}

// Console serves the pages.
type Console struct {
	issuer   Issuer
	accounts Accounts
	pages    *pages
	mail     bool
	base     string // path of the issuer's URL
}

// New makes the pages of an issuer. It fails when the issuer's URL can't be served, or when a template of the folder is
// wrong.
func New(i Issuer, a Accounts, o Options) (*Console, error) {
	base, err := web.BasePath(i.URL())
	if err != nil {
		return nil, err
	}
	pages, err := loadPages(o.Templates, i.URL())
	if err != nil {
		return nil, err
	}
	return &Console{issuer: i, accounts: a, pages: pages, mail: o.Mail, base: base}, nil
}

// Register adds the routes to mux, under the path of the issuer's URL.
func (c *Console) Register(mux *http.ServeMux) {
	open := map[string]http.HandlerFunc{ // clients send browsers here
		"GET /oauth2/authorize":   c.authorize,
		"POST /oauth2/authorize":  c.again,
		"GET /oauth2/logout":      c.askLogout,
		"POST /oauth2/logout":     c.again,
		"GET /login":              c.showLogin,
		"GET /consent":            c.showConsent,
		"GET /device":             c.showDevice,
		"GET /verify-email":       c.showVerify,
		"GET /reset-password":     c.showReset,
		"GET /forgotten-password": c.showForgotten,
		"GET /apps":               c.showApps,
		"GET /passkeys":           c.showPasskeys,
		"GET /passkey.js":         c.pages.serveScript,
	}
	own := map[string]http.HandlerFunc{ // forms of these pages alone
		"POST /login":              c.logIn,
		"POST /factor":             c.completeLogIn,
		"POST /login-passkey":      c.logInWithPasskey,
		"POST /new-passkey":        c.newPasskey,
		"POST /add-passkey":        c.addPasskey,
		"POST /change-passkey":     c.changePasskey,
		"POST /recovery-codes":     c.renewRecoveryCodes,
		"POST /consent":            c.consent,
		"POST /logout":             c.logOut,
		"POST /device":             c.findDevice,
		"POST /device/decision":    c.decideDevice,
		"POST /verify-email":       c.verify,
		"POST /reset-password":     c.reset,
		"POST /forgotten-password": c.forgotten,
		"POST /apps":               c.withdraw,
	}
	for route, handler := range open {
		web.Handle(mux, c.base, route, handler)
	}
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.pages.refuse(w, r, http.StatusForbidden, "The form came from another site.")
	}))
	for route, handler := range own {
		web.Handle(mux, c.base, route, protection.Handler(handler))
	}
}

// again takes a form of another site, and sends the browser back with a GET, as OpenID Connect Core 1.0 §3.1.2.1 lets
// clients ask: with a form of another site browsers send no cookie, so nobody would ever be signed in. Its parameters
// are judged there, as those of any other request: what is wrong with them may be the client's to know, and only what
// can't become a query is a page here.
func (c *Console) again(w http.ResponseWriter, r *http.Request) {
	form, err := web.ReadForm(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	query := form.Encode()
	if len(query) > maxQuery {
		c.pages.refuse(w, r, http.StatusBadRequest, "The request is too long.")
		return
	}
	redirect(w, c.issuer.URL()+r.URL.Path[len(c.base):]+"?"+query)
}

// redirect sends the browser on, with a GET whatever it did before.
func redirect(w http.ResponseWriter, address string) {
	web.NoStore(w)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusSeeOther)
}
