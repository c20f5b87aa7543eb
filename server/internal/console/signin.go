package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Cookies of a browser. The prefix makes it refuse them unless they come over TLS and from this very host. That of the
// sign-in has to come along when a client sends the browser here, so it can't be stricter than Lax; what a form does is
// protected by more than that.
const (
	signInCookie = "__Host-jot-signin"
	deviceCookie = "__Host-jot-device" // the device token of the last login here, which is no credential
)

// deviceMaxAge is the longest life that browsers allow a cookie, 400 days, in seconds.
const deviceMaxAge = 400 * 24 * 3600

// signInOf is the secret of the browser's sign-in, "" where it has none. Of two nobody knows which counts.
func signInOf(r *http.Request) string {
	if cookies := r.CookiesNamed(signInCookie); len(cookies) == 1 {
		return cookies[0].Value
	}
	return ""
}

func setSignIn(w http.ResponseWriter, secret string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: signInCookie, Value: secret, Path: "/", MaxAge: int(max(1, life/time.Second)), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func clearSignIn(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: signInCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func setDevice(w http.ResponseWriter, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: deviceCookie, Value: token, Path: "/", MaxAge: deviceMaxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// deviceOf is where a request comes from. A device token that is no good is none.
func deviceOf(r *http.Request) issuer.Device {
	from := issuer.Device{Address: web.ClientAddress(r)}
	if cookie, err := r.Cookie(deviceCookie); err == nil {
		from.Token = cookie.Value
	}
	return from
}

func retryAfter(w http.ResponseWriter, seconds int) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, seconds)))
}
