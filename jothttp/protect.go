package jothttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/jot-auth/jot"
)

const (
	// CookieName is the usual name of the access token's cookie. Browsers accept a name with this prefix only from
	// the host itself, over https, for all paths (RFC 6265bis §4.1.3.2).
	CookieName = "__Host-jot"

	// RefreshHeader is set to "advised" on the response to a request whose token is accepted although its subject's
	// claims have changed since: the client should refresh soon. Cross-origin scripts see it when
	// Access-Control-Expose-Headers lists it.
	RefreshHeader = "Jot-Refresh"
)

const (
	defaultRealm   = "api"
	defaultMaxSize = 16 << 10
)

// Options says how requests are authenticated. The zero value of each field but Verifier is safe.
type Options struct {
	// Verifier checks the tokens. Required.
	Verifier *jot.Verifier
	// Realm names the protected space in challenges (RFC 9110 §11.5): printable ASCII without a quotation mark
	// or a backslash. Empty means "api".
	Realm string
	// Cookie is the name of a cookie that may carry the token, usually [CookieName]. Empty means that cookies are not
	// read.
	Cookie string
	// CrossOrigin checks unsafe requests that a cookie authenticates; set it to trust further origins. Nil means a new
	// [http.CrossOriginProtection], which trusts none.
	CrossOrigin *http.CrossOriginProtection
	// DPoP checks the proofs of tokens that are bound to a key (RFC 9449). Nil means that such tokens are refused:
	// nobody who merely holds one may use it.
	DPoP *DPoP
	// MaxSize is the longest token in bytes that is handed to the verifier: set it when its own MaxSize is raised. Zero
	// means 16 KiB.
	MaxSize int
	// Follower lets callers demand fresh rules with [MinCursorHeader]: set it to the Verifier's revocation.Reader. Such
	// a request waits for them for up to a second, and is answered with 503 and Retry-After when they haven't come;
	// also when the cursor is of another log, since a recovered issuer begins one. Nil refuses every request that
	// demands it, with 501.
	Follower Follower
	// OnRefuse is told why a request was refused, for logs and metrics. The error never contains the token. Nil means
	// nobody is told.
	OnRefuse func(r *http.Request, reason error)
}

// Protect lets only requests with a valid bearer token through. It is Options{Verifier: v}.Protect().
func Protect(v *jot.Verifier) func(http.Handler) http.Handler {
	return Options{Verifier: v}.Protect()
}

// Protect lets only requests with a valid token through, and hands it to the handler inside by way of [From]. A CORS
// preflight, which never has one, is answered with 204 and goes no further: a CORS handler stands outside. Protect
// panics without a verifier, and for a realm or a cookie name that can't be written in a header: both are mistakes in
// the program, and show when it starts.
func (o Options) Protect() func(http.Handler) http.Handler {
	g := o.guard()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if visit, ok := g.admit(w, r); ok {
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, visit)))
			}
		})
	}
}

// From returns the token of a request that passed [Protect], given the request's context. Inside Protect it is never
// nil; for any other context it is.
func From(ctx context.Context) *jot.Token {
	if visit := visitFrom(ctx); visit != nil {
		return visit.token
	}
	return nil
}

// visit is what Protect knows about a request that it let through.
type visit struct {
	token  *jot.Token
	guard  *guard
	scheme string // by which the token came: schemeBearer also where a cookie bore it
}

type visitKey struct{}

func visitFrom(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// guard is Options, checked and with its defaults.
type guard struct {
	Options
	challenges map[string]string // Bearer realm="…", and DPoP realm="…", algs="…", by scheme
}

func (o Options) guard() *guard {
	if o.Verifier == nil {
		panic("jothttp: Options.Verifier is nil: make one with jot.NewVerifier")
	}
	if o.Realm == "" {
		o.Realm = defaultRealm
	}
	if !quotable(o.Realm) {
		panic("jothttp: Options.Realm must be printable ASCII without quotation marks and backslashes")
	}
	if o.Cookie != "" && !isHTTPToken(o.Cookie) {
		panic("jothttp: Options.Cookie is not a cookie name: use jothttp.CookieName")
	}
	if o.CrossOrigin == nil {
		o.CrossOrigin = http.NewCrossOriginProtection()
	}
	g := &guard{Options: o, challenges: map[string]string{schemeBearer: `Bearer realm="` + o.Realm + `"`}}
	if o.DPoP != nil {
		o.DPoP.check()
		g.challenges[schemeDPoP] = `DPoP realm="` + o.Realm + `", algs="` + o.DPoP.algorithms() + `"`
	}
	return g
}

// admit authenticates a request, or answers it and returns false.
func (g *guard) admit(w http.ResponseWriter, r *http.Request) (*visit, bool) {
	if preflight(r) {
		w.WriteHeader(http.StatusNoContent)
		return nil, false
	}
	g.vary(w.Header())
	found, err := g.credentials(r)
	if err != nil {
		g.refuse(w, r, found.scheme, err)
		return nil, false
	}
	token, err := g.authenticate(w, r, found)
	if err != nil {
		g.refuse(w, r, found.scheme, err)
		return nil, false
	}
	if token.RefreshAdvised() {
		w.Header().Set(RefreshHeader, "advised")
	}
	return &visit{token: token, guard: g, scheme: found.scheme}, true
}

// authenticate verifies a request's token, with the proof that it may need, and by rules as new as the request demands.
func (g *guard) authenticate(w http.ResponseWriter, r *http.Request, f found) (*jot.Token, error) {
	demanded, err := readMinCursor(r.Header)
	if err != nil {
		return nil, err
	}
	token, err := g.Verifier.Verify(r.Context(), f.token)
	if err == nil {
		err = g.checkBinding(w, r, token, f)
	}
	if err != nil || demanded == nil {
		return token, err
	}
	// Only who has a good token makes the server wait; what the rules that came meanwhile say of it counts.
	if err := g.await(r.Context(), demanded); err != nil {
		return nil, err
	}
	return g.Verifier.Verify(r.Context(), f.token)
}

// preflight reports whether a request is a CORS preflight (Fetch standard, §3.2.2).
func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// vary tells caches what the answer depends on (RFC 9110 §12.5.5).
func (g *guard) vary(h http.Header) {
	h.Add("Vary", "Authorization")
	if g.Cookie != "" {
		h.Add("Vary", "Cookie")
	}
}

// refuse maps the reason to an answer. A reason that is nobody's fault is 503: the client keeps its token.
func (g *guard) refuse(w http.ResponseWriter, r *http.Request, scheme string, reason error) {
	if g.OnRefuse != nil {
		g.OnRefuse(r, reason)
	}
	switch {
	case errors.Is(reason, ErrNoToken):
		g.challenge(w, http.StatusUnauthorized, "", "")
	case errors.Is(reason, ErrBadRequest):
		g.challenge(w, http.StatusBadRequest, scheme, `, error="invalid_request"`)
	case errors.Is(reason, errBadCursor):
		problem(w, http.StatusBadRequest)
	case errors.Is(reason, errNoFollower):
		problem(w, http.StatusNotImplemented)
	case errors.Is(reason, ErrCrossOrigin):
		problem(w, http.StatusForbidden)
	case errors.Is(reason, jot.ErrUnavailable):
		unavailable(w)
	case errors.Is(reason, jot.ErrStaleClaims):
		g.challenge(w, http.StatusUnauthorized, scheme, `, error="invalid_token", error_description="stale claims"`)
	case errors.Is(reason, ErrNonce):
		w.Header().Set(NonceHeader, g.DPoP.Proofs.options.Nonces.DPoPNonce())
		g.challenge(w, http.StatusUnauthorized, scheme, `, error="use_dpop_nonce"`)
	case errors.Is(reason, ErrProof):
		g.challenge(w, http.StatusUnauthorized, scheme, `, error="invalid_dpop_proof"`)
	default:
		g.challenge(w, http.StatusUnauthorized, scheme, `, error="invalid_token"`)
	}
}

// challenge refuses a request and says how to authenticate (RFC 6750 §3, RFC 9449 §7.1): in the scheme that it used,
// what is wrong, and which others there are.
func (g *guard) challenge(w http.ResponseWriter, status int, used, params string) {
	for _, scheme := range []string{schemeBearer, schemeDPoP} {
		text, taken := g.challenges[scheme]
		if scheme == used {
			w.Header().Add("WWW-Authenticate", text+params)
		} else if taken && status == http.StatusUnauthorized && !(scheme == schemeBearer && g.DPoP != nil && g.DPoP.Required) {
			w.Header().Add("WWW-Authenticate", text)
		}
	}
	problem(w, status)
}
