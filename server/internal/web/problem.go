package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/issuer"
)

// Types of problems that a client may want to tell apart. They are identifiers and
// don't change; all other problems have the type about:blank.
const (
	TypeInvalidCredentials = "urn:jot:problem:invalid-credentials"
	TypeInvalidGrant       = "urn:jot:problem:invalid-grant"
	TypeInvalidScope       = "urn:jot:problem:invalid-scope"
	TypeInvalidTarget      = "urn:jot:problem:invalid-target"
	TypeInvalidInput       = "urn:jot:problem:invalid-input"
	TypeThrottled          = "urn:jot:problem:throttled"
	TypeTaken              = "urn:jot:problem:taken"
	TypeSignUpOff          = "urn:jot:problem:sign-up-off"
	TypeInvitation         = "urn:jot:problem:invitation"
	TypeCode               = "urn:jot:problem:code"
	TypeNoMail             = "urn:jot:problem:no-mail"
	TypeBootstrap          = "urn:jot:problem:bootstrap"
	TypeAdminOnly          = "urn:jot:problem:admin-only"
	TypeLastAdmin          = "urn:jot:problem:last-admin"
	TypeDeclared           = "urn:jot:problem:declared"
	TypeKeyLimit           = "urn:jot:problem:key-limit"
	TypeSecondFactor       = "urn:jot:problem:second-factor"
	TypeFactor             = "urn:jot:problem:factor"
	TypePasskey            = "urn:jot:problem:passkey"
	TypeNoPasskeys         = "urn:jot:problem:no-passkeys"
	TypeInvalidClient      = "urn:jot:problem:invalid-client"
)

// Seconds after which a client should try again.
const (
	retryBusy        = 1
	retryUnavailable = 5
)

// Problem is an answer that says what went wrong (RFC 9457). It is an error too, so
// that decoders can return the answer that they ask for. Its texts are fixed ones: none
// quotes the request.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`

	// Of TypeSecondFactor: what goes back with a code or a passkey's answer, for how many seconds it may, which kinds
	// of factors the account has, and what the browser is to ask its passkeys for.
	Challenge string          `json:"challenge,omitempty"`
	ExpiresIn int             `json:"expires_in,omitempty"`
	Factors   []string        `json:"factors,omitempty"`
	Passkey   json.RawMessage `json:"passkey,omitempty"`

	retryAfter int    // seconds; 0 means no Retry-After
	challenge  string // what the Bearer challenge adds to the realm (RFC 6750 §3)
}

// NewProblem makes a problem of type about:blank, whose title is the status's own.
func NewProblem(status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// InvalidRequest is the answer to a request for which a bearer token isn't sent as it has to be (RFC 6750 §3.1).
func InvalidRequest(detail string) *Problem {
	p := NewProblem(http.StatusBadRequest, detail)
	p.challenge = `, error="invalid_request"`
	return p
}

// InvalidToken is the answer to a bearer token that isn't good (RFC 6750 §3.1).
func InvalidToken(detail string) *Problem {
	p := NewProblem(http.StatusUnauthorized, detail)
	p.challenge = `, error="invalid_token"`
	return p
}

// LoginTooOld is the answer to a bearer token of a login that is longer ago than the endpoint asks for (RFC 9470 §3).
func LoginTooOld(maxAge time.Duration) *Problem {
	p := NewProblem(http.StatusUnauthorized, "log in again: the last time was too long ago for this")
	p.challenge = `, error="insufficient_user_authentication", error_description="a more recent login is needed", max_age="` + strconv.Itoa(WholeSeconds(maxAge)) + `"`
	return p
}

// LoginTooWeak is the answer to a bearer token of a login of another class than the endpoint asks for (RFC 9470 §3).
func LoginTooWeak(class string) *Problem {
	p := NewProblem(http.StatusUnauthorized, "log in again, with a second factor")
	p.challenge = `, error="insufficient_user_authentication", error_description="a stronger login is needed", acr_values="` + class + `"`
	return p
}

// InsufficientScope is the answer to a bearer token that doesn't reach so far (RFC 6750 §3.1).
func InsufficientScope(scope, detail string) *Problem {
	p := NewProblem(http.StatusForbidden, detail)
	p.challenge = `, error="insufficient_scope", scope="` + scope + `"`
	return p
}

// Error returns the title and detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// WriteProblem answers with a problem. Problems are never stored by caches, and one of
// status 401 carries the Bearer challenge that RFC 9110 §15.5.2 demands.
func WriteProblem(w http.ResponseWriter, p *Problem) {
	NoStore(w)
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized || p.challenge != "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="jot"`+p.challenge)
	}
	writeJSON(w, p.Status, "application/problem+json", p)
}

// Fail answers with the problem that an error is, and logs it if it is a fault. An error
// that is none of the domain's is answered with 500 and no detail.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	p := ProblemOf(err)
	LogFault(r, p.Status, err)
	WriteProblem(w, p)
}

// Unavailable reports whether an error passes by itself, and after how many seconds the
// client should try again.
func Unavailable(err error) (retryAfter int, ok bool) {
	switch {
	case errors.Is(err, issuer.ErrBusy):
		return retryBusy, true
	case errors.Is(err, issuer.ErrUnavailable), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return retryUnavailable, true
	}
	return 0, false
}

// ProblemOf returns the problem that an error is.
func ProblemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	if seconds, ok := Unavailable(err); ok {
		p := NewProblem(http.StatusServiceUnavailable, "try again later")
		p.retryAfter = seconds
		return p
	}
	switch {
	case errors.Is(err, jothttp.ErrBadRequest):
		p := NewProblem(http.StatusBadRequest, "the credentials are malformed, or more than one: send one bearer token or one cookie")
		p.challenge = `, error="invalid_request"`
		return p
	case errors.Is(err, jot.ErrStaleClaims):
		p := InvalidToken("stale claims")
		p.challenge += `, error_description="stale claims"`
		return p
	case errors.Is(err, jot.ErrInvalidToken):
		return InvalidToken("the access token is not valid")
	}
	return domainProblem(err)
}

// domainProblems are those of errors that say no more than what they are.
var domainProblems = []struct {
	err error
	Problem
}{
	{issuer.ErrFactor, Problem{Type: TypeFactor, Title: "Wrong code", Status: http.StatusForbidden, Detail: "it's wrong, was used, or has run out: try the next one"}},
	{issuer.ErrPasskey, Problem{Type: TypePasskey, Title: "The passkey is not accepted", Status: http.StatusForbidden, Detail: "it isn't known here, or its answer proves nothing"}},
	{issuer.ErrNoPasskeys, Problem{Type: TypeNoPasskeys, Title: "There are no passkeys here", Status: http.StatusForbidden, Detail: "the issuer's URL has no host name"}},
	{issuer.ErrInvalidCredentials, Problem{Type: TypeInvalidCredentials, Title: "Wrong username or password", Status: http.StatusUnauthorized}},
	{issuer.ErrInvalidGrant, Problem{Type: TypeInvalidGrant, Title: "The refresh token is not valid", Status: http.StatusUnauthorized}},
	{issuer.ErrInvalidScope, Problem{Type: TypeInvalidScope, Title: "The scope is not available", Status: http.StatusBadRequest}},
	{issuer.ErrInvalidTarget, Problem{Type: TypeInvalidTarget, Title: "The resource is unknown", Status: http.StatusBadRequest}},
	{issuer.ErrInvitation, Problem{Type: TypeInvitation, Title: "An invitation is needed", Status: http.StatusForbidden, Detail: "there is none, or it was used, withdrawn, or has expired"}},
	{issuer.ErrCode, Problem{Type: TypeCode, Title: "The code is not valid", Status: http.StatusForbidden, Detail: "it was used, has expired, or another change has voided it"}},
	{issuer.ErrNoMail, Problem{Type: TypeNoMail, Title: "This server sends no mail", Status: http.StatusForbidden}},
	{issuer.ErrProofRequired, *NewProblem(http.StatusBadRequest, "the client's tokens are bound to a key: it gets them at the token endpoint, with a DPoP proof")},
	{issuer.ErrBootstrap, Problem{Type: TypeBootstrap, Title: "The code is not valid", Status: http.StatusForbidden, Detail: "it was used, has expired, or was replaced by a newer one"}},
	{issuer.ErrDeclared, Problem{Type: TypeDeclared, Title: "Declared in the configuration", Status: http.StatusConflict, Detail: "change it there"}},
	{issuer.ErrKeyLimit, Problem{Type: TypeKeyLimit, Title: "Too many keys are published", Status: http.StatusConflict, Detail: "it passes when the oldest retiring key leaves the key set"}},
	{issuer.ErrInvalidClient, Problem{Type: TypeInvalidClient, Title: "The client is unknown", Status: http.StatusBadRequest}},
	{issuer.ErrAdminOnly, Problem{Type: TypeAdminOnly, Title: "Not for administrators", Status: http.StatusForbidden, Detail: "they log in at the issuer itself"}},
	{issuer.ErrLastAdmin, Problem{Type: TypeLastAdmin, Title: "This is the last administrator", Status: http.StatusConflict, Detail: "make another one first"}},
	{issuer.ErrTaken, Problem{Type: TypeTaken, Title: "The name is taken", Status: http.StatusConflict}},
	{issuer.ErrNotFound, *NewProblem(http.StatusNotFound, "")},
}

// What an account has already to which somebody gives a second factor.
var (
	CodesTaken   = &Problem{Type: TypeTaken, Title: "The account has one-time codes already", Status: http.StatusConflict, Detail: "remove them first"}
	PasskeyTaken = &Problem{Type: TypeTaken, Title: "The passkey is known already", Status: http.StatusConflict}
)

// Taken is the error, or the problem where something is taken that is no name.
func Taken(err error, p *Problem) error {
	if errors.Is(err, issuer.ErrTaken) {
		return p
	}
	return err
}

func domainProblem(err error) *Problem {
	var input *issuer.InputError
	var throttled *issuer.ThrottledError
	var half *issuer.SecondFactorError
	switch {
	case errors.As(err, &half):
		return &Problem{
			Type: TypeSecondFactor, Title: "A second factor is needed", Status: http.StatusForbidden,
			Challenge: half.Challenge, ExpiresIn: WholeSeconds(half.ExpiresIn), Factors: half.Factors, Passkey: half.Passkey,
		}
	case errors.As(err, &throttled):
		return &Problem{Type: TypeThrottled, Title: "Too many failed attempts", Status: http.StatusTooManyRequests, retryAfter: WholeSeconds(throttled.RetryAfter)}
	case errors.As(err, &input):
		return &Problem{Type: TypeInvalidInput, Title: "Invalid input", Status: http.StatusBadRequest, Detail: input.Field + " " + input.Reason}
	}
	for _, of := range domainProblems {
		if errors.Is(err, of.err) {
			p := of.Problem
			return &p
		}
	}
	return NewProblem(http.StatusInternalServerError, "")
}

// LogFault records an error that is answered with the status, if it is the operator's to mend and not the client's: an
// unknown one, a failed database, or one that the server waited for too long, as the cause says why the request's
// context has ended. It names the request's ID and route, and nothing that the client sent.
func LogFault(r *http.Request, status int, err error) {
	if late := context.Cause(r.Context()); errors.Is(late, issuer.ErrUnavailable) {
		err = fmt.Errorf("%w: %w", late, err)
	}
	if status != http.StatusInternalServerError && !errors.Is(err, issuer.ErrUnavailable) {
		return
	}
	telemetry.Logger(r.Context()).ErrorContext(r.Context(), "request failed",
		slog.String("route", r.Pattern), slog.Int("status", status), slog.Any("error", err))
}

// LogReason puts why a request is refused into its line of the log: a code that doesn't change, for where the answer
// itself may tell its client less, or reach nobody.
func LogReason(r *http.Request, code string) { telemetry.Explain(r.Context(), code) }

// WholeSeconds rounds up, so that a client that waits so long has waited long enough.
func WholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
