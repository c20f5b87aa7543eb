package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Cookies that bear tokens. Their prefixes make browsers refuse them unless they come
// over TLS and, for the first, from this very host.
const (
	AccessCookie  = jothttp.CookieName
	RefreshCookie = "__Secure-jot-refresh"
)

// DeviceCookie bears the device token, which is no credential. It outlives the session: it's what the next login shows.
const DeviceCookie = "__Secure-jot-device"

// deviceMaxAge is the longest life that browsers allow a cookie, 400 days, in seconds.
const deviceMaxAge = 400 * 24 * 3600

// logInAnswer is the answer to a login.
type logInAnswer struct {
	web.TokenAnswer
	DeviceToken string `json:"device_token,omitempty"`
}

// writeLogIn answers with tokens and the device token, in the body or in cookies.
func (a *API) writeLogIn(w http.ResponseWriter, t issuer.Tokens, deviceToken string, cookies bool) {
	if !cookies {
		web.WriteJSON(w, http.StatusOK, logInAnswer{web.NewTokenAnswer(t), deviceToken})
		return
	}
	http.SetCookie(w, a.deviceCookie(deviceToken))
	a.writeTokens(w, t, true)
}

// writeTokens answers with tokens, in the body or in cookies.
func (a *API) writeTokens(w http.ResponseWriter, t issuer.Tokens, cookies bool) {
	answer := web.NewTokenAnswer(t)
	if cookies {
		a.setCookies(w, t)
		answer.Access, answer.Type, answer.Refresh = "", "", ""
	}
	web.WriteJSON(w, http.StatusOK, answer)
}

// setCookies sets both tokens. The refresh token goes to the /v1 tree only and never on
// a request that another site started.
func (a *API) setCookies(w http.ResponseWriter, t issuer.Tokens) {
	access, refresh := a.accessCookie(), a.refreshCookie()
	access.Value, access.MaxAge = t.Access, seconds(t.ExpiresIn)
	refresh.Value, refresh.MaxAge = t.Refresh, seconds(t.SessionExpiresIn)
	http.SetCookie(w, access)
	http.SetCookie(w, refresh)
}

// hasCookies reports whether a request brought a cookie that bears a token.
func hasCookies(r *http.Request) bool {
	return len(r.CookiesNamed(AccessCookie))+len(r.CookiesNamed(RefreshCookie)) > 0
}

func (a *API) clearCookies(w http.ResponseWriter) {
	for _, cookie := range []*http.Cookie{a.accessCookie(), a.refreshCookie()} {
		cookie.MaxAge = -1
		http.SetCookie(w, cookie)
	}
}

func (a *API) accessCookie() *http.Cookie {
	return &http.Cookie{Name: AccessCookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

func (a *API) refreshCookie() *http.Cookie {
	return &http.Cookie{Name: RefreshCookie, Path: a.base + "/v1", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

func (a *API) deviceCookie(token string) *http.Cookie {
	return &http.Cookie{
		Name: DeviceCookie, Value: token, Path: a.base + "/v1", MaxAge: deviceMaxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// seconds is d as a Max-Age: at least 1, since 0 stands for none.
func seconds(d time.Duration) int {
	return int(max(1, d/time.Second))
}

// authenticate returns the access token of a request, verified. It must be of a
// first-party client: another client's token doesn't reach a person's account.
func (a *API) authenticate(r *http.Request) (*jot.Token, error) {
	raw, err := jothttp.Credential(r, AccessCookie, 0)
	if err != nil {
		return nil, err
	}
	if raw == "" {
		return nil, errNoToken
	}
	tok, err := a.verifier.Verify(r.Context(), raw)
	if err != nil {
		return nil, err
	}
	if err := web.RefuseBound(tok); err != nil {
		return nil, err
	}
	_, err = a.firstParty(r.Context(), tok.ClientID())
	if err != nil && !errors.Is(err, errNotFirstParty) {
		return nil, err
	}
	if err != nil || tok.ClientID() == "" {
		return nil, web.NewProblem(http.StatusForbidden, "the access token is another client's")
	}
	return tok, nil
}

// errNoToken is a bare challenge: RFC 6750 §3 wants no error code where there was
// no token.
var errNoToken = web.NewProblem(http.StatusUnauthorized, "the request has no access token")
