package jothttp

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

// The classes of a jot server, by one factor and by more.
const (
	oneFactor  = "urn:jot:acr:1fa"
	twoFactors = "urn:jot:acr:2fa"
)

var errAuthentication = errors.New("jothttp: the user's authentication is too old or too weak for this")

// StepUp says how a user must have logged in for what is behind it (RFC 9470): money is moved, a password changed. Its
// zero value asks for nothing and isn't accepted.
type StepUp struct {
	// ACR are the authentication context classes of which the token's acr must be one, the preferred one first (RFC
	// 9470 §3). Empty: any. A jot server's urn:jot:acr:2fa counts for urn:jot:acr:1fa too, since a login by two factors
	// is one by a factor, and asking for that again would bring the same token. Of no other classes is it known which
	// is the stronger one: list all that will do.
	ACR []string
	// MaxAge is how long ago the user may have logged in, by the token's auth_time, in whole seconds. Zero: any time.
	MaxAge time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Require lets only requests through whose user has logged in as s says. Others get 401 with the error
// insufficient_user_authentication, and with what is missing, so that the client can ask the issuer for it by
// acr_values and max_age. A token without the claims that count is refused too. It stands inside [Protect]; without it
// every request is answered 500, as with [RequireScope]. It panics for requirements that are empty or can't be written
// in a header.
func (s StepUp) Require() func(http.Handler) http.Handler {
	s.ACR = slices.Clone(s.ACR)
	if s.Now == nil {
		s.Now = time.Now
	}
	return demand{
		status: http.StatusUnauthorized, params: s.params(),
		lack: func(token *jot.Token) error {
			if !s.satisfied(token) {
				return errAuthentication
			}
			return nil
		},
	}.middleware()
}

// params are those of the challenge (RFC 9470 §3).
func (s StepUp) params() string {
	if len(s.ACR) == 0 && s.MaxAge == 0 {
		panic("jothttp: StepUp asks for nothing: set ACR or MaxAge")
	}
	if s.MaxAge < 0 || s.MaxAge%time.Second != 0 {
		panic("jothttp: StepUp.MaxAge must be whole seconds")
	}
	params := `, error="insufficient_user_authentication"`
	if len(s.ACR) > 0 {
		params += `, acr_values="` + joinClasses(s.ACR) + `"`
	}
	if s.MaxAge > 0 {
		params += `, max_age="` + strconv.FormatInt(int64(s.MaxAge/time.Second), 10) + `"`
	}
	return params
}

func joinClasses(classes []string) string {
	for _, class := range classes {
		if class == "" || strings.Contains(class, " ") || !quotable(class) {
			panic(fmt.Sprintf("jothttp: %q is not an authentication context class: give each as an element of its own", class))
		}
	}
	return strings.Join(classes, " ")
}

func (s StepUp) satisfied(token *jot.Token) bool {
	if s.MaxAge > 0 {
		at := token.AuthTime()
		if at.IsZero() || s.Now().Sub(at) > s.MaxAge {
			return false
		}
	}
	if len(s.ACR) == 0 {
		return true
	}
	var claims struct {
		Class string `json:"acr"`
	}
	return token.Decode(&claims) == nil && (slices.Contains(s.ACR, claims.Class) || claims.Class == twoFactors && slices.Contains(s.ACR, oneFactor))
}
