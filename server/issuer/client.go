package issuer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

// ClientPrefix begins every client ID and no subject ID, so that a client that acts for itself (sub = client_id)
// is never mistaken for a person.
const ClientPrefix = "client_"

// Client is a program that gets tokens. Those of Config.Clients are declared: they are fixed, and win over stored ones.
type Client struct {
	ID          string        // begins with ClientPrefix
	Name        string        // for people; at most 255 bytes
	Scopes      []string      // what it may ask for; nil: nothing
	Resources   []string      // audiences that its tokens may be for, the first is its default; nil: any
	FirstParty  bool          // the operator's own: may handle passwords
	AccessTTL   time.Duration // life of its access tokens where the resource's is longer, whole seconds; 0: the resource's
	IdleTTL     time.Duration // ends its unused sessions where Config.IdleTTL is longer; 0: that
	AbsoluteTTL time.Duration // ends its sessions where Config.AbsoluteTTL is longer; 0: that
	AccessType  string        // typ of its access tokens: "at+jwt" (RFC 9068), also when it is empty, or "JWT" for APIs that know no other
	Algorithm   jot.Algorithm // signs its access tokens where the resource names none; "": Config.Algorithm
	SecretHash  []byte        // SHA-256 of its secret; a client with neither secret nor keys is public: it has nothing to prove itself with
	KeySet      *jot.KeySet   // its public keys, instead of a secret: see ParseClientKeySet and AuthenticateAssertion; nil: none

	DeviceGrant  bool     // lets it log people in by a code that they type elsewhere (RFC 8628)
	RequireDPoP  bool     // gives it no token that isn't bound to a key (RFC 9449)
	ExchangeFrom []string // audiences whose access tokens it may exchange (RFC 8693) for ones that Resources allow; nil: none

	RedirectURIs           []string // where the answer to an authorization request may go: see checkRedirectURI; nil: it can't make any
	PostLogoutRedirectURIs []string // where a browser may go on to after a logout
	BackchannelLogoutURI   string   // takes logout tokens (OpenID Connect Back-Channel Logout 1.0): https, or http on loopback; "": none

	Declared bool      // by the configuration, or built in; set by the issuer
	Created  time.Time // of a stored client; set by the issuer
}

// The types of access tokens.
const (
	accessType = "at+jwt" // RFC 9068 §2.1
	plainType  = "JWT"    // RFC 7519 §5.1
)

// check says what is wrong with a client, of whichever origin.
func (c *Client) check() error {
	name, prefixed := strings.CutPrefix(c.ID, ClientPrefix)
	switch {
	case !prefixed || checkName("client", name) != nil || len(c.ID) > maxName:
		return &InputError{"client_id", "must begin with " + ClientPrefix + " and have at most 255 bytes of UTF-8 without control characters"}
	case c.Name != "" && checkName("name", c.Name) != nil:
		return checkName("name", c.Name)
	case c.AccessTTL != 0 && !validTTL(c.AccessTTL):
		return &InputError{"access_ttl", "must be whole seconds up to a day"}
	case c.IdleTTL < 0 || c.AbsoluteTTL < 0:
		return &InputError{"session_ttl", "must not be negative"}
	case c.AccessType != "" && c.AccessType != accessType && c.AccessType != plainType:
		return &InputError{"access_type", "must be at+jwt or JWT"}
	case c.SecretHash != nil && len(c.SecretHash) != sha256.Size:
		return &InputError{"secret", "must be stored as its SHA-256"}
	case c.SecretHash != nil && c.KeySet != nil:
		return &InputError{"key_set", "must not stand beside a secret: a client proves itself in one way"}
	}
	return errors.Join(checkScope(c.Scopes), checkAudiences("resources", c.Resources), checkAlgorithm(c.Algorithm), checkClientKeySet(c.KeySet), checkAudiences("exchange_from", c.ExchangeFrom),
		checkRedirectURIs("redirect_uris", c.RedirectURIs), checkRedirectURIs("post_logout_redirect_uris", c.PostLogoutRedirectURIs),
		checkBackchannelURI(c.BackchannelLogoutURI))
}

func validTTL(d time.Duration) bool {
	return d >= time.Second && d <= maxAccessTTL && d%time.Second == 0
}

// checkAlgorithm refuses one that access tokens aren't signed with; "" leaves the choice to others.
func checkAlgorithm(a jot.Algorithm) error {
	if a == "" || slices.Contains(signingAlgorithms, a) {
		return nil
	}
	return &InputError{"algorithm", "must be ES256, RS256 or EdDSA"}
}

var signingAlgorithms = []jot.Algorithm{jot.ES256, jot.RS256, jot.EdDSA}

func checkAudiences(field string, audiences []string) error {
	if len(audiences) > maxScopes {
		return &InputError{field, "must name at most 64 audiences"}
	}
	for n, audience := range audiences {
		if checkName(field, audience) != nil || slices.Contains(audiences[:n], audience) {
			return &InputError{field, "must be distinct audiences of 1 to 255 bytes of UTF-8 without control characters"}
		}
	}
	return nil
}

// Confidential reports whether the client can prove who it is.
func (c *Client) Confidential() bool { return c.SecretHash != nil || c.KeySet != nil }

// may reports whether a client's tokens may be for an audience.
func (c *Client) may(audience string) bool {
	return c.Resources == nil || slices.Contains(c.Resources, audience)
}

// accessTTL is how long the client's tokens for a resource live: a client only shortens.
func (c *Client) accessTTL(r *Resource) time.Duration { return shorter(c.AccessTTL, r.AccessTTL) }

// shorter applies a limit, of which 0 is none.
func shorter(limit, d time.Duration) time.Duration {
	if limit > 0 {
		return min(limit, d)
	}
	return d
}

// clone returns a client that shares nothing with this one.
func (c Client) clone() Client {
	c.Scopes, c.Resources, c.SecretHash = slices.Clone(c.Scopes), slices.Clone(c.Resources), slices.Clone(c.SecretHash)
	c.RedirectURIs, c.PostLogoutRedirectURIs = slices.Clone(c.RedirectURIs), slices.Clone(c.PostLogoutRedirectURIs)
	c.ExchangeFrom = slices.Clone(c.ExchangeFrom)
	return c
}

// client finds a client as it is in a transaction; "" is the default. The error is ErrInvalidClient.
func (i *Issuer) client(r ClientReader, id string) (*Client, error) {
	if c := i.config.client(id); c != nil {
		return c, nil
	}
	if id == "" {
		return nil, ErrInvalidClient
	}
	c, err := r.Client(id)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrInvalidClient
	}
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// clientID returns the ID of a client that exists; "" is the default one. The error is ErrInvalidClient.
func (i *Issuer) clientID(ctx context.Context, id string) (string, error) {
	if c := i.config.client(id); c != nil {
		return c.ID, nil
	}
	_, err := i.Client(ctx, id)
	if errors.Is(err, ErrNotFound) {
		err = ErrInvalidClient
	}
	return id, err
}

// Client finds a client, or fails with ErrNotFound.
func (i *Issuer) Client(ctx context.Context, id string) (Client, error) {
	if id == "" {
		return Client{}, ErrNotFound
	}
	if c := i.config.client(id); c != nil {
		return c.clone(), nil
	}
	var c Client
	err := i.store.View(ctx, func(r Reader) (err error) {
		c, err = r.Client(id)
		return err
	})
	return c, err
}

// CreateClient stores a new client; Declared and Created are set here. It fails with an *InputError, with ErrTaken when
// the ID exists, and with ErrBusy for two seconds after a client of this ID was deleted.
func (i *Issuer) CreateClient(ctx context.Context, c Client) error {
	if err := c.check(); err != nil {
		return err
	}
	if i.config.client(c.ID) != nil {
		return ErrTaken
	}
	// One insert: of two that create the same client, the unique ID lets one win. The keys that it asks for are of the
	// same commit, so that no client waits for a key that nobody makes.
	return i.changeKeys(ctx, func(u *update, fresh *freshKeys) error {
		c.Created, c.Declared = u.now, false
		if err := u.waitForClient(c.ID); err != nil {
			return err
		}
		if err := u.InsertClient(c); err != nil {
			return err
		}
		if err := u.audit(EventClientCreated, Event{ClientID: c.ID}); err != nil {
			return err
		}
		if err := u.demandKeys(fresh, KeyNext, c.Algorithm); err != nil {
			return err
		}
		return noteExchanger(u, &c)
	})
}

// ChangeClient reads a stored client, lets change alter it, and writes it back. What it takes from a client's scope,
// resources or lifetimes, the sessions of before lose with their next refresh; what it gives counts from the next login
// on. change may run more than once; ID, Declared and Created stay. It fails with an *InputError, ErrNotFound,
// ErrDeclared, and with the error of change.
func (i *Issuer) ChangeClient(ctx context.Context, id string, change func(*Client) error) (Client, error) {
	if id != "" && i.config.client(id) != nil {
		return Client{}, ErrDeclared
	}
	var c Client
	// Reading and writing back are one transaction, so that of two changes neither is lost.
	err := i.changeKeys(ctx, func(u *update, fresh *freshKeys) error {
		before, err := u.Client(id)
		if err != nil {
			return err
		}
		c = before.clone()
		if err := change(&c); err != nil {
			return err
		}
		c.ID, c.Created, c.Declared = before.ID, before.Created, false
		if err := c.check(); err != nil {
			return err
		}
		if err := u.UpdateClient(c); err != nil {
			return err
		}
		if err := u.audit(EventClientChanged, Event{ClientID: c.ID, Detail: clientChanges(before, c)}); err != nil {
			return err
		}
		if err := u.demandKeys(fresh, KeyNext, c.Algorithm); err != nil {
			return err
		}
		return noteExchanger(u, &c)
	})
	if err != nil {
		return Client{}, err
	}
	return c, nil
}

func (c *Config) checkClients() error {
	if len(c.Clients) == 0 {
		return errors.New("config: no client: name a program that gets tokens")
	}
	var errs []error
	known := map[string]bool{CommandClient: true}
	for _, client := range c.Clients {
		if err := client.check(); err != nil {
			errs = append(errs, fmt.Errorf("config: client %q: %w", client.ID, err))
		}
		if known[client.ID] {
			errs = append(errs, fmt.Errorf("config: client %q: an ID must be unique", client.ID))
		}
		known[client.ID] = true
	}
	return errors.Join(errs...)
}

// fixedClients are those that no change reaches.
func (c *Config) fixedClients() []Client { return append(slices.Clone(c.Clients), c.commandClient()) }

// client finds a client that needs no database; "" is the first first-party one. nil: there is none.
func (c *Config) client(id string) *Client {
	for n := range c.Clients {
		if c.Clients[n].ID == id || id == "" && c.Clients[n].FirstParty {
			return &c.Clients[n]
		}
	}
	if id == CommandClient {
		command := c.commandClient()
		return &command
	}
	return nil
}
