package jottest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// Options say what the tokens of an issuer are like. The zero value is an issuer of access tokens (RFC 9068) that name
// no audience.
type Options struct {
	// Audience is the "aud" of the tokens, and what Verifier asks for. Empty means tokens without one.
	Audience string
	// Algorithm is that of the keys; empty means ES256. One of HMAC has no public key, and fails the test.
	Algorithm jot.Algorithm
	// Type is the header's "typ"; empty means "at+jwt".
	Type string
	// Clock dates the tokens; nil means one that stands at the time of day.
	Clock *Clock
}

// Issuer issues tokens and serves its keys and revocations, in the process and at a loopback address. It's a
// [jot.KeySource] and a [jot.RevocationChecker], and safe for concurrent use.
type Issuer struct {
	// URL is the issuer's name, "iss", and its address. The key set is at /.well-known/jwks.json, as its metadata at
	// /.well-known/openid-configuration say, and the revocation feed at /feed.
	URL string
	// FeedCredential opens the feed.
	FeedCredential string
	// Clock dates the tokens.
	Clock *Clock

	tb      testing.TB
	options Options
	feed    *feed

	mu          sync.Mutex
	signing     *jot.PrivateKey
	keys        *jot.KeySet
	generations map[string]uint64
	keysFail    bool
}

var (
	errKeysFail = errors.New("jottest: the keys can't be had, as the test wants it")
	errFeedFail = errors.New("jottest: revocations can't be known, as the test wants it")
)

// NewIssuer starts an issuer with one key. It stops when the test ends.
func NewIssuer(tb testing.TB, o Options) *Issuer {
	tb.Helper()
	if o.Algorithm == "" {
		o.Algorithm = jot.ES256
	}
	if o.Type == "" {
		o.Type = "at+jwt"
	}
	if o.Clock == nil {
		o.Clock = NewClock(time.Now())
	}
	i := &Issuer{Clock: o.Clock, FeedCredential: rand.Text() + rand.Text(), tb: tb, options: o, keys: jot.NewKeySet(), generations: map[string]uint64{}}
	i.RotateKey()
	i.feed = newFeed(i)
	server := httptest.NewUnstartedServer(i.handler())
	i.URL = "http://" + server.Listener.Addr().String()
	server.Start()
	tb.Cleanup(func() {
		i.feed.close() // a server that closes waits for its answers
		server.Close()
	})
	return i
}

// VerifierOptions are those of Verifier: the issuer's name, its audience and type, its clock, and itself as the
// revocation checker.
func (i *Issuer) VerifierOptions() jot.VerifierOptions {
	return jot.VerifierOptions{
		Issuer: i.URL, Audience: i.options.Audience, NoAudience: i.options.Audience == "", Type: i.options.Type,
		Now: i.Clock.Now, Revocation: i,
	}
}

// Verifier makes a verifier that accepts the issuer's tokens. It sees revocations and other keys at once.
func (i *Issuer) Verifier() *jot.Verifier {
	i.tb.Helper()
	verifier, err := jot.NewVerifier(i, i.VerifierOptions())
	if err != nil {
		i.tb.Fatalf("jottest: %v", err)
	}
	return verifier
}

// ReaderOptions are for a [revocation.Reader] that follows the issuer's feed, as an API does in production.
func (i *Issuer) ReaderOptions() revocation.ReaderOptions {
	return revocation.ReaderOptions{URL: i.URL + "/feed", Issuer: i.URL, Keys: i.feed.keys, Credential: i.FeedCredential}
}

// VerificationKeys implements [jot.KeySource] with the published keys.
func (i *Issuer) VerificationKeys(ctx context.Context, alg jot.Algorithm, kid string) ([]jot.VerificationKey, error) {
	keys, err := i.published()
	if err != nil {
		return nil, err
	}
	return keys.VerificationKeys(ctx, alg, kid)
}

// CheckRevocation implements [jot.RevocationChecker] with the revocations so far.
func (i *Issuer) CheckRevocation(_ context.Context, facts *jot.RevocationFacts) (jot.Verdict, error) {
	if i.feed.fails() {
		return jot.Revoked, errFeedFail
	}
	return i.feed.rules.Verdict(facts), nil
}

// KeyID returns the "kid" of the key that signs.
func (i *Issuer) KeyID() string { return i.signingKey().KeyID() }

// RotateKey lets a new key sign from now on, and publishes it beside the ones before.
func (i *Issuer) RotateKey() {
	i.tb.Helper()
	key := pool.key(i.tb, i.options.Algorithm)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.signing, i.keys = key, jot.NewKeySet(append(i.keys.Keys(), key.Public())...)
}

// RetireKeys takes all keys but the one that signs out of the published set.
func (i *Issuer) RetireKeys() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = jot.NewKeySet(i.signing.Public())
}

// FailKeys makes the keys unavailable until Recover: the issuer fails as a key source, and its key set is answered with
// 503. A jwks.Source that holds keys goes on with them until its MaxStale.
func (i *Issuer) FailKeys() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keysFail = true
}

// FailRevocation makes revocations unavailable until Recover: the issuer fails as a revocation checker, the feed's
// streams end, and it answers 503. A revocation.Reader that follows it goes on until its lease ends, after its
// MaxStaleness.
func (i *Issuer) FailRevocation() { i.feed.setFailing(true) }

// Recover ends what FailKeys and FailRevocation began.
func (i *Issuer) Recover() {
	i.feed.setFailing(false)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keysFail = false
}

func (i *Issuer) signingKey() *jot.PrivateKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.signing
}

func (i *Issuer) published() (*jot.KeySet, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.keysFail {
		return nil, errKeysFail
	}
	return i.keys, nil
}
