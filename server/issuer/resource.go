package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

// Resource is an API that tokens are for (RFC 8707). Those of Config.Resources are declared: they are fixed, and win
// over stored ones.
type Resource struct {
	Audience  string        // the aud of its tokens
	Name      string        // for people; at most 255 bytes
	Scopes    []string      // every scope that it knows
	AccessTTL time.Duration // life of its access tokens, whole seconds; 0: Config.AccessTTL
	Algorithm jot.Algorithm // signs its access tokens, whichever client asks; "": the client's choice
	Declared  bool          // by the configuration, or built in; set by the issuer
	Created   time.Time     // of a stored resource; set by the issuer
}

// check says what is wrong with a resource, of whichever origin.
func (r *Resource) check() error {
	switch {
	case checkName("audience", r.Audience) != nil:
		return checkName("audience", r.Audience)
	case strings.HasPrefix(r.Audience, ClientPrefix):
		return &InputError{"audience", "must not begin with " + ClientPrefix + ": an ID token would pass for its access token"}
	case r.Name != "" && checkName("name", r.Name) != nil:
		return checkName("name", r.Name)
	case !validTTL(r.AccessTTL):
		return &InputError{"access_ttl", "must be whole seconds up to a day"}
	}
	return errors.Join(checkScope(r.Scopes), checkAlgorithm(r.Algorithm))
}

func (r Resource) clone() Resource {
	r.Scopes = slices.Clone(r.Scopes)
	return r
}

// resource finds a resource as it is in a transaction. The error is ErrInvalidTarget.
func (i *Issuer) resource(r ResourceReader, audience string) (*Resource, error) {
	if found := i.config.resource(audience); found != nil {
		return found, nil
	}
	found, err := r.Resource(audience)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrInvalidTarget
	}
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// target finds the resource that a client asks tokens for; "" is the client's own default. One that it has no business
// with is ErrInvalidTarget, as is one that doesn't exist.
func (i *Issuer) target(r ResourceReader, client *Client, audience string) (*Resource, error) {
	switch {
	case audience == "" && len(client.Resources) > 0:
		audience = client.Resources[0]
	case audience == "":
		audience = i.config.Resources[0].Audience
	}
	if !client.may(audience) {
		return nil, ErrInvalidTarget
	}
	return i.resource(r, audience)
}

// Resource finds a resource, or fails with ErrNotFound.
func (i *Issuer) Resource(ctx context.Context, audience string) (Resource, error) {
	if found := i.config.resource(audience); found != nil {
		return found.clone(), nil
	}
	var found Resource
	err := i.store.View(ctx, func(r Reader) (err error) {
		found, err = r.Resource(audience)
		return err
	})
	return found, err
}

// CreateResource stores a new resource; Declared and Created are set here. It fails with an *InputError, or with
// ErrTaken when the audience exists.
func (i *Issuer) CreateResource(ctx context.Context, r Resource) error {
	if i.config.resource(r.Audience) != nil {
		return ErrTaken
	}
	setDefault(&r.AccessTTL, i.config.AccessTTL)
	if err := r.check(); err != nil {
		return err
	}
	// One insert: of two that create the same resource, the unique audience lets one win. The longest life of a token
	// is raised in the same commit, so that no rule is ever written that a token outlives.
	return i.changeKeys(ctx, func(u *update, fresh *freshKeys) error {
		r.Created, r.Declared = u.now, false
		if err := u.InsertResource(r); err != nil {
			return err
		}
		if err := u.audit(EventResourceCreated, Event{Detail: r.Audience}); err != nil {
			return err
		}
		return u.serveResource(fresh, KeyActive, r) // nobody has verified a token for it, so no cached key set lacks its key
	})
}

// ChangeResource reads a stored resource, lets change alter it, and writes it back. Existing sessions follow with their
// next refresh. A longer life of tokens counts for every rule from then on; after a shorter one rules and keys still
// outlast the tokens of before. change may run more than once; Audience, Declared and Created stay. It fails with an
// *InputError, ErrNotFound, ErrDeclared, and with the error of change.
func (i *Issuer) ChangeResource(ctx context.Context, audience string, change func(*Resource) error) (Resource, error) {
	if i.config.resource(audience) != nil {
		return Resource{}, ErrDeclared
	}
	var r Resource
	// Reading and writing back are one transaction, so that of two changes neither is lost; a token that is being
	// issued meanwhile has either the old life or a maximum that is raised already.
	err := i.changeKeys(ctx, func(u *update, fresh *freshKeys) error {
		before, err := u.Resource(audience)
		if err != nil {
			return err
		}
		r = before.clone()
		if err := change(&r); err != nil {
			return err
		}
		r.Audience, r.Created, r.Declared = before.Audience, before.Created, false
		setDefault(&r.AccessTTL, i.config.AccessTTL)
		if err := r.check(); err != nil {
			return err
		}
		if err := u.UpdateResource(r); err != nil {
			return err
		}
		if err := u.audit(EventResourceChanged, Event{Detail: r.Audience + ": " + resourceChanges(before, r)}); err != nil {
			return err
		}
		return u.serveResource(fresh, KeyNext, r)
	})
	if err != nil {
		return Resource{}, err
	}
	return r, nil
}

// serveResource sees to what tokens for a resource need.
func (u *update) serveResource(fresh *freshKeys, first KeyState, r Resource) error {
	if err := u.demandKeys(fresh, first, r.Algorithm); err != nil {
		return err
	}
	return raiseLongest(u, settingMaxTTL, r.AccessTTL)
}

// DeleteResource deletes a stored resource: no token is issued for it any more, and none of its sessions can be
// refreshed, even if one of that audience is made again. Access tokens that its API still takes end by themselves,
// within their life. It fails with ErrNotFound or ErrDeclared.
func (i *Issuer) DeleteResource(ctx context.Context, audience string) error {
	if i.config.resource(audience) != nil {
		return ErrDeclared
	}
	// One row: a login or refresh at the same time has either read it or finds none.
	return i.commit(ctx, func(u *update) error {
		if err := u.DeleteResource(audience); err != nil {
			return err
		}
		return u.audit(EventResourceDeleted, Event{Detail: audience})
	})
}

func (c *Config) checkResources() error {
	if len(c.Resources) == 0 {
		return errors.New("config: no resource: name the audience that tokens are for")
	}
	var errs []error
	known := map[string]bool{c.adminAudience(): true}
	for _, r := range c.Resources {
		if err := r.check(); err != nil {
			errs = append(errs, fmt.Errorf("config: resource %q: %w", r.Audience, err))
		}
		if known[r.Audience] {
			errs = append(errs, fmt.Errorf("config: resource %q: an audience must be unique", r.Audience))
		}
		known[r.Audience] = true
	}
	return errors.Join(errs...)
}

// fixedResources are those that no change reaches.
func (c *Config) fixedResources() []Resource {
	return append(slices.Clone(c.Resources), c.adminResource())
}

// resource finds a resource that needs no database; nil: there is none.
func (c *Config) resource(audience string) *Resource {
	for n := range c.Resources {
		if c.Resources[n].Audience == audience {
			return &c.Resources[n]
		}
	}
	if audience == c.adminAudience() {
		admin := c.adminResource()
		return &admin
	}
	return nil
}

// longestTTL is the longest life that this configuration gives to an access token.
func (c *Config) longestTTL() time.Duration {
	longest := time.Duration(0)
	for _, r := range c.Resources {
		longest = max(longest, r.AccessTTL)
	}
	return longest
}
