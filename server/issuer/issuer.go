// Package issuer is the life of a token: subjects, sessions, refresh, keys and revocation. It knows no HTTP and no SQL.
//
// A program that has its own users asks for tokens when one has logged in, and says what goes into them:
//
//	i, err := issuer.New(ctx, store, issuer.Config{URL: "https://auth.example.com", …})
//	tokens, err := i.Issue(ctx, issuer.Grant{Subject: "42", Claims: claims, Scope: []string{"pets:read"}, AMR: []string{"pwd"}})
//
// Access tokens are JWTs (RFC 9068) that any verifier checks offline. Refresh tokens are opaque, and each is good once;
// Refresh says what that means when answers get lost and when somebody steals one. Everything that takes tokens out of
// use writes a rule into a hash-chained log in the same transaction, and package revocation brings the rules to the
// verifiers.
//
// All times in tokens and rules are the database's, so that servers over one database agree.
//
// Whatever asks the database may fail with ErrUnavailable, where that is out of reach, with ErrBusy, where too many
// wait for it, and with its context's error. Comments name the errors beside these.
package issuer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/together"
)

const (
	// settingMaxTTL holds the longest life that any access token of this database was ever given, in milliseconds.
	settingMaxTTL = "max_ttl"
	// settingMaxSession holds that of any session.
	settingMaxSession = "max_session"
)

// verifierCache is how many tokens each of the issuer's own verifiers remembers, in some 2 MB: a backend that begins
// sessions shows one with each, and an API that asks about tokens asks about each many times.
const verifierCache = 1024

// Issuer issues, refreshes and revokes tokens. It is safe for concurrent use.
type Issuer struct {
	store    Store
	config   Config
	sealer   *sealer
	verifier *jot.Verifier
	anyType  *jot.Verifier             // of access tokens that a client gets as "JWT", too: for whoever asks about them or revokes them
	hints    *jot.Verifier             // of ID tokens, expired ones too: they say who asks, and open nothing
	foreign  map[string]*foreignIssuer // by URL
	maxTTL   atomic.Int64              // a time.Duration, as the database has it

	keys      atomic.Pointer[keyring]
	remotes   sync.Map // *jot.PrivateKey by key ID: those whose private half is elsewhere
	reloading sync.Mutex
	loaded    []Key // that keys was made of; guarded by reloading
	rules     *revocation.Set
	changed   signal
	others    signal // wrote something, perhaps
	line      *together.Line[*part]
	notices   signal // a client is to be told of a logout
	probe     probe
	counts    counts

	// Only the goroutine touches these.
	log       string    // that is followed
	followed  uint64    // sequence up to which others' rules were applied
	swept     time.Time // up to which expired rules were dropped from memory
	nextSweep time.Time // of the database

	behind bool // the last look at what others wrote failed

	wake      chan struct{} // something may be due
	sweepSoon atomic.Bool   // somebody left work for the sweep
	heard     chan struct{} // another server may have written something
	cancel    context.CancelFunc
	ended     sync.WaitGroup
}

// New opens an issuer over a store. The very first start on an empty store makes the keys and the log; any number of
// servers may do that at once. New starts a goroutine for key rotation and upkeep, and one that watches a store that is
// a Watcher; Close ends them. The store stays the caller's. New fails with what Config.Validate says, and when the
// key-encryption keys don't open the store's keys.
func New(ctx context.Context, store Store, c Config) (*Issuer, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	i := &Issuer{store: store, config: c, rules: revocation.NewSet(), wake: make(chan struct{}, 1), heard: make(chan struct{}, 1)}
	i.line = i.newLine()
	if i.foreign, err = newForeignIssuers(c); err != nil {
		return nil, err
	}
	if i.sealer, err = newSealer(slices.Concat([][]byte{c.KeyEncryptionKey}, c.OlderKeyEncryptionKeys)...); err != nil {
		return nil, err
	}
	for _, key := range c.RemoteKeys {
		i.remotes.Store(key.KeyID(), key)
	}
	if err := i.start(ctx); err != nil {
		return nil, err
	}
	if err := i.newVerifiers(); err != nil {
		return nil, err
	}
	ctx, i.cancel = context.WithCancel(context.WithoutCancel(ctx))
	i.ended.Go(func() { i.upkeep(ctx) })
	if w, ok := store.(Watcher); ok {
		i.ended.Go(func() { i.watch(ctx, w) })
	}
	return i, nil
}

// Close ends the issuer's goroutines and waits for them. Calls that are under way may still finish.
func (i *Issuer) Close() error {
	i.cancel()
	i.ended.Wait()
	return nil
}

// start makes what is missing in the database and loads what is kept in memory.
func (i *Issuer) start(ctx context.Context) error {
	// Whether something is missing and making it are one transaction: of two servers that start on an empty database,
	// the second finds the first one's keys and log.
	var from moved
	err := i.store.Update(ctx, func(tx Tx) (err error) {
		err1 := raiseLongest(tx, settingMaxTTL, i.config.longestTTL())
		err2 := raiseLongest(tx, settingMaxSession, i.config.AbsoluteTTL)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if from, err = i.noteURL(tx); err != nil {
			return err
		}
		if err := i.noteExchangers(tx); err != nil {
			return err
		}
		return startLog(tx) // after the setting, as whoever writes a rule
	})
	if err != nil {
		return err
	}
	from.warn(i.config.Logger, i.config.URL)
	if err := i.startKeys(ctx); err != nil {
		return err
	}
	if err := i.reloadKeys(ctx); err != nil {
		return err
	}
	return i.store.View(ctx, func(r Reader) error {
		if err := i.warnOfScopes(r); err != nil {
			return err
		}
		return i.loadRules(r)
	})
}

// raiseLongest remembers the longest life of a token or a session, so that after a configuration with a shorter one
// rules and retiring keys still outlast those of before.
func raiseLongest(tx Tx, setting string, longest time.Duration) error {
	before, err := readLongest(tx, setting)
	if err != nil && !errors.Is(err, ErrNotFound) || longest <= before {
		return err
	}
	return tx.PutSetting(setting, longest.Milliseconds())
}

// readLongest returns what raiseLongest remembers. Another server over the database may have raised it, so who relies
// on it reads it in the transaction that does.
func readLongest(r SettingReader, setting string) (time.Duration, error) {
	ms, err := r.Setting(setting)
	return time.Duration(ms) * time.Millisecond, err
}

// readMaxTTL returns the longest token life.
func readMaxTTL(r SettingReader) (time.Duration, error) { return readLongest(r, settingMaxTTL) }

func (i *Issuer) loadMaxTTL(r Reader) error {
	maxTTL, err := readMaxTTL(r)
	if err == nil {
		i.maxTTL.Store(int64(maxTTL))
	}
	return err
}

// newVerifiers take tokens of any life that a configuration allows: another server over the database may have a longer
// one.
func (i *Issuer) newVerifiers() (err error) {
	o := jot.VerifierOptions{
		Issuer: i.config.URL, AnyAudience: true, Type: accessType, MaxTTL: maxAccessTTL, Now: i.config.Now, Revocation: i,
		CacheSize: verifierCache,
	}
	if i.verifier, err = jot.NewVerifier(i, o); err != nil {
		return err
	}
	o.Type, o.AnyType = "", true
	if i.anyType, err = jot.NewVerifier(i, o); err != nil {
		return err
	}
	i.hints, err = jot.NewVerifier(i, jot.VerifierOptions{Issuer: i.config.URL, AnyAudience: true, Type: plainType, Leeway: hintAge, Now: i.config.Now})
	return err
}

// Verifier verifies this issuer's own access tokens, whichever of its resources they are for: for the server's own
// endpoints.
func (i *Issuer) Verifier() *jot.Verifier { return i.verifier }

// URL identifies the issuer (iss).
func (i *Issuer) URL() string { return i.config.URL }

// Resources returns the APIs that the configuration declares; the first is the default. ListResources knows the stored
// ones too.
func (i *Issuer) Resources() []Resource { return slices.Clone(i.config.Resources) }

// Clients returns the programs that the configuration declares. ListClients knows the stored ones too.
func (i *Issuer) Clients() []Client { return slices.Clone(i.config.Clients) }

// KeySetMaxAge is how long verifiers may cache the key set.
func (i *Issuer) KeySetMaxAge() time.Duration { return i.config.KeySetMaxAge }

// MaxTTL is the longest life that any access token has: a verifier that refuses longer ones can't be shown one that has
// outlived its rule.
func (i *Issuer) MaxTTL() time.Duration { return time.Duration(i.maxTTL.Load()) }

// Now returns the database's time.
func (i *Issuer) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := i.store.View(ctx, func(r Reader) (err error) {
		now, err = r.Now()
		return err
	})
	return now, err
}
