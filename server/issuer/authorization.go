package issuer

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Authorization is what a client asks for through a person's browser (RFC 6749 §4.1.1, OpenID Connect Core 1.0
// §3.1.2.1). Its texts are those of the parameters, "" where one is absent; nothing in it was judged yet.
type Authorization struct {
	ClientID        string
	RedirectURI     string // demanded, and exactly one of the client's: see redirectsTo
	ResponseType    string // "code"
	ResponseMode    string // "query", "form_post" or ""
	Scope           []string
	Resource        string // RFC 8707; "" is the client's first resource, or else the default one
	State           string
	Nonce           string
	Challenge       string // RFC 7636, demanded
	ChallengeMethod string // "S256": "" would be plain, which is refused
	Prompt          []string
	MaxAge          string   // seconds since the last login
	ACRValues       []string // classes of authentication of which one is wanted (RFC 9470 §4); those that nobody knows here count for nothing
	LoginHint       string
	IDTokenHint     string // one that the client was given, expired ones too: the answer is about its subject or is none
	KeyThumbprint   string // dpop_jkt (RFC 9449 §10): the code is redeemed with this key alone; "": with any

	Subject string    // of the ID token; set by Authorize, in whose place it stands
	Asked   time.Time // when the request came in: a login after that is as new as any could be; set by Authorize
}

const (
	maxState     = 2048 // bytes of state, nonce and login hint
	maxMaxAge    = 9    // digits
	challengeLen = 43   // characters of a SHA-256 in base64url
)

// The prompts of OpenID Connect Core 1.0 §3.1.2.1.
const (
	promptNone    = "none"
	promptLogin   = "login"
	promptConsent = "consent"
	promptSelect  = "select_account"
)

// AuthorizationError is the refusal of an authorization request whose client and redirect URI are good, so that the
// client gets to know it (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6).
type AuthorizationError struct {
	Code        string
	Description string // a fixed text: it never quotes the request
}

// Error gives the code and the description.
func (e *AuthorizationError) Error() string { return e.Code + ": " + e.Description }

// Refused makes an AuthorizationError.
func Refused(code, description string) *AuthorizationError {
	return &AuthorizationError{Code: code, Description: description}
}

// ErrRedirectURI is a redirect URI that isn't exactly one of the client's. The browser must not be sent there.
var ErrRedirectURI = errors.New("issuer: the redirect URI is not one of the client's")

// RedirectClient finds the client of an authorization request, if its answer may go to a redirect URI. Before that is
// known, nothing else of the request counts, and no answer leaves this server. It fails with ErrInvalidClient or
// ErrRedirectURI.
func (i *Issuer) RedirectClient(ctx context.Context, id, redirectURI string) (Client, error) {
	c, err := i.Client(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Client{}, ErrInvalidClient
	}
	if err == nil && !c.redirectsTo(redirectURI) {
		err = ErrRedirectURI
	}
	return c, err
}

// formPost is the response mode in which a form takes the answer to the client (OAuth 2.0 Form Post Response Mode 1.0).
const formPost = "form_post"

// PostsAnswer reports whether the answer goes to the client by a form, which a person sends. No app's own scheme takes
// one.
func (a *Authorization) PostsAnswer() bool {
	return a.ResponseMode == formPost && !slices.Contains(a.Prompt, promptNone) && (strings.HasPrefix(a.RedirectURI, "https://") || strings.HasPrefix(a.RedirectURI, "http://"))
}

// check judges what needs no database.
func (a *Authorization) check() error {
	switch {
	case a.ResponseType == "":
		return Refused("invalid_request", "response_type is missing")
	case a.ResponseType != "code":
		return Refused("unsupported_response_type", "response_type must be code")
	case a.ResponseMode != "" && a.ResponseMode != "query" && a.ResponseMode != formPost:
		return Refused("invalid_request", "response_mode must be query or form_post")
	case a.ResponseMode == formPost && !a.PostsAnswer():
		return Refused("invalid_request", "response_mode=form_post needs a person who sends the form, so no prompt=none, and a redirect URI that takes one")
	case a.Challenge == "":
		return Refused("invalid_request", "code_challenge is missing (RFC 7636)")
	case a.ChallengeMethod != "S256":
		return Refused("invalid_request", "code_challenge_method must be S256")
	case !isChallenge(a.Challenge):
		return Refused("invalid_request", "code_challenge must be a SHA-256 in base64url")
	case max(len(a.State), len(a.Nonce), len(a.LoginHint)) > maxState:
		return Refused("invalid_request", "state, nonce and login_hint must have at most 2048 bytes")
	case checkThumbprint(a.KeyThumbprint) != nil:
		return Refused("invalid_request", "dpop_jkt must be a SHA-256 in base64url")
	case !a.goodPrompt():
		return Refused("invalid_request", "prompt must be none, or some of login, consent and select_account")
	case checkScope(a.Scope) != nil:
		return Refused("invalid_scope", "the scope is malformed")
	}
	if _, ok := a.maxAge(); !ok {
		return Refused("invalid_request", "max_age must be a number of seconds")
	}
	return nil
}

func isChallenge(text string) bool {
	_, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(text) == challengeLen
}

func (a *Authorization) goodPrompt() bool {
	for n, word := range a.Prompt {
		if !slices.Contains([]string{promptNone, promptLogin, promptConsent, promptSelect}, word) || slices.Contains(a.Prompt[:n], word) {
			return false
		}
	}
	return len(a.Prompt) < 2 || !slices.Contains(a.Prompt, promptNone)
}

// maxAge is how old the last login may be when the request comes in.
func (a *Authorization) maxAge() (age time.Duration, ok bool) {
	if a.MaxAge == "" {
		return time.Duration(1<<63 - 1), true
	}
	seconds, err := strconv.ParseUint(a.MaxAge, 10, 63)
	return time.Duration(seconds) * time.Second, err == nil && len(a.MaxAge) <= maxMaxAge
}

// wantsLogin reports whether a sign-in is too old for the request, or too weak.
func (a *Authorization) wantsLogin(s *SignIn) bool {
	asked := slices.Contains(a.Prompt, promptLogin) || slices.Contains(a.Prompt, promptSelect)
	age, _ := a.maxAge()
	return asked && s.AuthTime.Before(a.Asked) || a.Asked.Sub(s.AuthTime) > age || !a.strongEnough(s)
}

// strongEnough reports whether a sign-in is of one of the classes that the request names. Two factors are enough where
// one is.
func (a *Authorization) strongEnough(s *SignIn) bool {
	if slices.Contains(a.ACRValues, ACROneFactor) || !slices.Contains(a.ACRValues, ACRTwoFactors) {
		return true
	}
	return acrOf(s.AMR) == ACRTwoFactors
}

// unmet reports whether somebody has logged in for the request and still isn't signed in as strongly as it asks (RFC
// 9470 §5): another login wouldn't change that.
func (a *Authorization) unmet(s *SignIn) bool {
	return !a.strongEnough(s) && !s.AuthTime.Before(a.Asked)
}
