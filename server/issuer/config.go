package issuer

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/loopback"
)

const (
	keySize         = 32 // bytes of the key-encryption key
	maxAccessTTL    = 24 * time.Hour
	minRefreshGrace = 10 * time.Second
	maxRefreshGrace = 5 * time.Minute
	maxName         = 255 // bytes of a subject ID, client ID or audience
)

// Config says how tokens are issued. The zero value of every duration is a good default.
type Config struct {
	// URL identifies the issuer (iss) and is the base of its addresses: https, or http on loopback, without a trailing
	// slash. Tokens are bound to it: under a new URL everybody has to log in again, and should it ever change back, the
	// sessions of before go on.
	URL string
	// Resources are the APIs that tokens are for; the first is the default.
	Resources []Resource
	// Clients are the programs that get tokens; the first first-party client is the default.
	Clients []Client
	// KeyEncryptionKey is 32 random bytes that encrypt private keys at rest. Keep it outside the data directory and
	// its backups. Who loses it loses signing keys and sessions, not accounts.
	KeyEncryptionKey []byte
	// OlderKeyEncryptionKeys still open what was sealed under them; New seals it anew under KeyEncryptionKey, after
	// which they aren't needed. To change the key under several servers, let all of them know the new one as an older
	// one first, and then exchange the two.
	OlderKeyEncryptionKeys [][]byte
	// RemoteKeys are the signing keys whose private halves are elsewhere, such as in a key management service
	// (jot.NewRemoteKey): those that ImportKey was given and that sign or will.
	RemoteKeys []*jot.PrivateKey
	// ForeignIssuers are other issuers whose logout tokens LogOutForeign takes.
	ForeignIssuers []ForeignIssuer
	// Algorithm signs where neither the resource nor the client names one; "" is ES256. A change takes effect by itself
	// when a key of the new one has been published for KeySetMaxAge.
	Algorithm jot.Algorithm

	AccessTTL    time.Duration // life of an access token, whole seconds; 15 min
	IdleTTL      time.Duration // a session that isn't refreshed for so long ends; 30 days
	AbsoluteTTL  time.Duration // a session ends so long after its login; 90 days
	SignInTTL    time.Duration // a browser has to log in again so long after its last login; 12 h
	RefreshGrace time.Duration // how long the previous refresh token gets the same successor again; 30 s
	KeySetMaxAge time.Duration // how long verifiers may cache the key set; a younger next key isn't promoted; 10 min
	KeyLifetime  time.Duration // how long a key signs before the next one takes over; 30 days

	SessionRetention time.Duration // how long a session is known after its end, for people and the detection of replays; 30 days
	EventRetention   time.Duration // how long events and retired keys are known; 180 days

	Logger *slog.Logger     // nil: slog.Default()
	Now    func() time.Time // clock of the issuer's own verifier; nil: time.Now. Tokens carry the database's time, and the two must agree.
}

// Validate says what is wrong with a configuration, before New touches a store.
func (c Config) Validate() error {
	_, err := c.complete()
	return err
}

// complete returns the configuration with defaults filled in and its own copies of slices, or says what is wrong.
func (c Config) complete() (Config, error) {
	setDefault(&c.Algorithm, jot.ES256)
	setDefault(&c.AccessTTL, 15*time.Minute)
	setDefault(&c.IdleTTL, 30*24*time.Hour)
	setDefault(&c.AbsoluteTTL, 90*24*time.Hour)
	setDefault(&c.SignInTTL, 12*time.Hour)
	setDefault(&c.RefreshGrace, 30*time.Second)
	setDefault(&c.KeySetMaxAge, 10*time.Minute)
	setDefault(&c.KeyLifetime, 30*24*time.Hour)
	setDefault(&c.SessionRetention, 30*24*time.Hour)
	setDefault(&c.EventRetention, 180*24*time.Hour)
	setDefault(&c.Logger, slog.Default())
	if c.Now == nil {
		c.Now = time.Now
	}
	var wrongTTL error
	if !validTTL(c.AccessTTL) {
		wrongTTL = fmt.Errorf("config: AccessTTL is %v, want whole seconds up to %v", c.AccessTTL, maxAccessTTL)
		c.AccessTTL = maxAccessTTL // or each resource without a life of its own would be blamed
	}
	c.Resources, c.Clients = slices.Clone(c.Resources), slices.Clone(c.Clients)
	for n, r := range c.Resources {
		setDefault(&r.AccessTTL, c.AccessTTL)
		r.Declared = true
		c.Resources[n] = r.clone()
	}
	for n, client := range c.Clients {
		client.Declared = true
		c.Clients[n] = client.clone()
	}
	return c, errors.Join(wrongTTL, checkURL(c.URL), c.checkKeys(), c.checkDurations(), c.checkResources(), c.checkClients(), c.checkForeign())
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return errors.New("config: URL is empty: name the issuer, such as https://auth.example.com")
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return errors.New("config: URL must be an absolute URL without user, query and fragment (RFC 8414 §2)")
	case strings.HasSuffix(text, "/"):
		return errors.New("config: URL must not end in a slash: verifiers compare it byte by byte")
	case u.Scheme == "https" || u.Scheme == "http" && loopback.Names(u.Hostname()):
		return nil
	}
	return errors.New("config: URL must be https; http is for loopback addresses only")
}

func (c Config) checkKeys() error {
	if len(c.KeyEncryptionKey) != keySize {
		return fmt.Errorf("config: KeyEncryptionKey has %d bytes, want %d random ones", len(c.KeyEncryptionKey), keySize)
	}
	for _, older := range c.OlderKeyEncryptionKeys {
		if len(older) != keySize {
			return fmt.Errorf("config: one of OlderKeyEncryptionKeys has %d bytes, want %d", len(older), keySize)
		}
	}
	if slices.Contains(c.RemoteKeys, nil) {
		return errors.New("config: one of RemoteKeys is nil")
	}
	if !slices.Contains(signingAlgorithms, c.Algorithm) {
		return fmt.Errorf("config: Algorithm %q can't sign access tokens; use ES256, RS256 or EdDSA", c.Algorithm)
	}
	return nil
}

func (c Config) checkDurations() error {
	var errs []error
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"IdleTTL", c.IdleTTL}, {"AbsoluteTTL", c.AbsoluteTTL}, {"SignInTTL", c.SignInTTL}, {"RefreshGrace", c.RefreshGrace},
		{"KeySetMaxAge", c.KeySetMaxAge}, {"KeyLifetime", c.KeyLifetime}, {"SessionRetention", c.SessionRetention}, {"EventRetention", c.EventRetention},
	} {
		if d.value < time.Millisecond {
			errs = append(errs, fmt.Errorf("config: %s is %v, want at least 1 ms", d.name, d.value))
		}
	}
	if c.RefreshGrace > maxRefreshGrace {
		errs = append(errs, fmt.Errorf("config: RefreshGrace is %v, want at most %v: a stolen token goes unseen for so long", c.RefreshGrace, maxRefreshGrace))
	}
	if c.RefreshGrace < minRefreshGrace {
		errs = append(errs, fmt.Errorf("config: RefreshGrace is %v, want at least %v: a refresh may wait a third of it for the database", c.RefreshGrace, minRefreshGrace))
	}
	if least := (c.longestTTL() + ruleSlack) / (maxPublished - 2); c.KeyLifetime < least {
		errs = append(errs, fmt.Errorf("config: KeyLifetime is %v, want at least %v: a key is published until its last token has expired, and %d at most are", c.KeyLifetime, least, maxPublished))
	}
	if c.KeyLifetime < c.KeySetMaxAge {
		errs = append(errs, fmt.Errorf("config: KeyLifetime is %v, want at least KeySetMaxAge, %v", c.KeyLifetime, c.KeySetMaxAge))
	}
	return errors.Join(errs...)
}
