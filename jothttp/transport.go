package jothttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jot-auth/jot"
)

// ErrLoggedOut is a session that is over, or never was: no request helps, the user has to log in again.
var ErrLoggedOut = errors.New("jothttp: logged out: log in again")

const (
	defaultEarly        = 30 * time.Second
	defaultAdviceWindow = time.Minute
)

// TransportOptions say for whom a [Transport] gets tokens, and who gets them from it. The zero value of each field but
// the first three is a good default.
type TransportOptions struct {
	// TokenURL is the issuer's token endpoint (RFC 6749 §3.2), such as https://auth.example.com/oauth2/token: https, or
	// http on loopback.
	TokenURL string
	// ClientID is the client that the session belongs to.
	ClientID string
	// Origins are those of the APIs that get the access token, such as https://api.example.com: https, or http on
	// loopback. A request to any other is sent without it, also when a redirect leads there.
	Origins []string
	// Tokens keeps the token pair; nil keeps it in memory.
	Tokens TokenStore
	// Key is the one that the session's tokens are bound to (RFC 9449): each request bears a proof of it. Nil is for
	// bearer tokens.
	Key *jot.PrivateKey
	// Base makes the requests; nil is http.DefaultTransport.
	Base http.RoundTripper
	// Early is how long before its expiry an access token is renewed; 0 is 30 s. No more than half of its life counts.
	Early time.Duration
	// AdviceWindow is the time over which clients that are advised to refresh, by [RefreshHeader], spread doing so; 0
	// is a minute.
	AdviceWindow time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Transport is an http.RoundTripper that makes requests within one session. It sends the access token, renews it when
// it expires, when the API says that its claims are stale and, a little later, when the API advises it; and then tries
// a refused request once more. However many requests need new tokens, one refresh brings them, across processes too if
// the [TokenStore] is shared. Where an API refuses the new token as well, its refusals cause no further refresh for a
// minute; for a second, if it says that the claims are stale again. A request is in the name of whoever is logged in
// when it's sent: where it's refused after another login, it isn't tried again in that one's name, and where it's
// redirected, it fails.
//
//	transport, err := jothttp.NewTransport(jothttp.TransportOptions{
//		TokenURL: "https://auth.example.com/oauth2/token", ClientID: "client_app", Origins: []string{"https://api.example.com"},
//		Tokens: jothttp.FileStore("/home/ada/.config/app/tokens.json"),
//	})
//	client := &http.Client{Transport: transport}
//
// A request that has an Authorization header already is left alone. A refused request whose body can't be sent again,
// because GetBody is nil, is not tried again: the next one has the new token. It is safe for concurrent use. The zero
// value makes no requests.
type Transport struct {
	options TransportOptions
	origins map[string]bool
	proving *proving // nil for bearer tokens

	mu       sync.Mutex
	pair     hiddenPair    // as last seen
	turns    int           // how many updates of the store have begun, which is their order
	seen     int           // the one that the pair is of
	received time.Time     // when it was seen first
	due      time.Time     // when a refresh is due by advice or after a failure; zero if none is
	refresh  chan struct{} // is closed when the refresh that is under way has ended; nil if none is
	failed   error         // of the last refresh

	vain map[objection]time.Time // until when a refresh isn't the answer to it
}

// NewTransport makes a Transport. What Tokens holds may be empty until [Transport.LogIn].
func NewTransport(o TransportOptions) (*Transport, error) {
	if _, err := originOf(o.TokenURL); err != nil {
		return nil, fmt.Errorf("jothttp: TokenURL: %w", err)
	}
	if o.ClientID == "" {
		return nil, errors.New("jothttp: ClientID is empty: name the client that the session belongs to")
	}
	if len(o.Origins) == 0 {
		return nil, errors.New("jothttp: Origins is empty: name the APIs that get the access token")
	}
	if o.Early < 0 || o.AdviceWindow < 0 {
		return nil, errors.New("jothttp: Early and AdviceWindow are not negative")
	}
	t := &Transport{options: o, origins: make(map[string]bool), vain: make(map[objection]time.Time)}
	for _, text := range o.Origins {
		origin, err := originOf(text)
		if err != nil || !isOrigin(text) {
			return nil, fmt.Errorf("jothttp: %q is no origin: write it as https://api.example.com; http is for loopback addresses only", text)
		}
		t.origins[origin] = true
	}
	t.options.complete()
	if o.Key == nil {
		return t, nil
	}
	signer, err := NewProofSigner(o.Key, t.options.Now)
	t.proving = &proving{signer: signer, nonces: make(map[string]string)}
	return t, err
}

func (o *TransportOptions) complete() {
	if o.Tokens == nil {
		o.Tokens = new(MemoryStore)
	}
	if o.Base == nil {
		o.Base = http.DefaultTransport
	}
	if o.Early == 0 {
		o.Early = defaultEarly
	}
	if o.AdviceWindow == 0 {
		o.AdviceWindow = defaultAdviceWindow
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// originOf returns the normalized origin of an address (RFC 6454 §4) at which tokens are safe from those who listen.
func originOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil {
		return "", errors.New("not an address")
	}
	return secureOrigin(u)
}

// isOrigin reports whether an address has nothing behind its host and port.
func isOrigin(text string) bool {
	_, rest, _ := strings.Cut(text, "://")
	return !strings.ContainsAny(strings.TrimSuffix(rest, "/"), "/?#")
}

func secureOrigin(u *url.URL) (string, error) {
	scheme, host, port := lower(u.Scheme), lower(u.Hostname()), u.Port()
	address, err := netip.ParseAddr(host)
	loopback := host == "localhost" || err == nil && address.IsLoopback()
	if host == "" || scheme != "https" && !(scheme == "http" && loopback) {
		return "", errors.New("not https; http is for loopback addresses only")
	}
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return scheme + "://" + host, nil
}

var errNoTransport = errors.New("jothttp: the zero value of a Transport is none: use NewTransport")

// LogIn puts the tokens of a new login in the place of whatever was there.
func (t *Transport) LogIn(ctx context.Context, pair TokenPair) error {
	if t.origins == nil {
		return errNoTransport
	}
	_, err := t.update(ctx, func(TokenPair) (TokenPair, error) { return pair, nil })
	return err
}

// RoundTrip implements http.RoundTripper. It fails with ErrLoggedOut when there are no tokens, or none any more.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.origins == nil {
		closeBody(r)
		return nil, errNoTransport
	}
	origin, err := secureOrigin(r.URL)
	if err != nil || !t.origins[origin] || len(r.Header.Values("Authorization")) > 0 {
		return t.options.Base.RoundTrip(r)
	}
	pair, err := t.Tokens(r.Context())
	if err == nil {
		err = t.checkSender(r, pair)
	}
	if err != nil {
		closeBody(r)
		return nil, err
	}
	response, err := t.send(r, pair)
	if err != nil {
		return nil, err
	}
	if why, refused := objectionTo(response, origin); refused && !t.isVain(why, pair) {
		return t.sendAgain(r, pair, response, why)
	}
	return response, nil
}

// sendAgain sends a refused request once more, with a newer token; where there's none, it returns the refusal, which
// says why.
func (t *Transport) sendAgain(r *http.Request, old TokenPair, refusal *http.Response, why objection) (*http.Response, error) {
	raised := t.options.Now()
	renewed, err := t.renew(r.Context(), old)
	if err != nil || renewed.login() != old.login() { // who logged in meanwhile may be somebody else, who hasn't asked for this
		return refusal, nil
	}
	again, err := repeat(r)
	if err != nil {
		t.noteVain(why, raised) // for what is known: only the next request tells
		return refusal, nil
	}
	discard(refusal)
	response, err := t.send(again, renewed)
	if err != nil {
		return nil, err
	}
	if _, refused := objectionTo(response, why.origin); refused {
		t.noteVain(why, raised)
	}
	return response, nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// copyOf is a request with a header and a context of its own. All else is the caller's, also Trailer, into which a body
// may write while it's read.
func copyOf(ctx context.Context, r *http.Request) *http.Request {
	r = r.WithContext(ctx)
	r.Header = r.Header.Clone()
	return r
}

var errSpent = errors.New("jothttp: the request's body can't be read again")

// repeat returns a request that is to be sent once more, with a body of its own.
func repeat(r *http.Request) (again *http.Request, err error) {
	again = copyOf(r.Context(), r)
	switch {
	case r.GetBody != nil:
		again.Body, err = r.GetBody()
	case r.Body != nil && r.Body != http.NoBody:
		err = errSpent
	}
	return again, err
}

func (t *Transport) send(r *http.Request, pair TokenPair) (*http.Response, error) {
	r = t.inNameOf(r, pair)
	var response *http.Response
	var err error
	if t.proving != nil {
		r.Header.Set("Authorization", schemeDPoP+" "+pair.Access)
		response, err = t.proving.send(t.options.Base, r, pair.Access)
	} else {
		r.Header.Set("Authorization", schemeBearer+" "+pair.Access)
		response, err = t.options.Base.RoundTrip(r)
	}
	if err == nil && response.Header.Get(RefreshHeader) == "advised" {
		t.advise(pair)
	}
	return response, err
}

// discard lets the connection of an answer that nobody wants be used again.
func discard(response *http.Response) {
	io.CopyN(io.Discard, response.Body, maxTokenAnswer)
	response.Body.Close()
}
