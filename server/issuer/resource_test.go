package issuer_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func (f *fixture) createResource(r issuer.Resource) {
	f.Helper()
	f.do(f.CreateResource(f.Context(), r))
}

// algorithmFor logs ann in for a resource and returns what her token is signed with.
func (f *fixture) algorithmFor(client, audience string) jot.Algorithm {
	f.Helper()
	return f.accept(f.issue(issuer.Grant{Subject: "ann", ClientID: client, Resource: audience}).Access).Algorithm()
}

func TestStoredResource(t *testing.T) {
	f := newFixture(t, config())
	f.createResource(issuer.Resource{Audience: "shop", Scopes: []string{"pets:read", "shop:buy"}, AccessTTL: 5 * time.Minute})
	tokens := f.issue(issuer.Grant{Subject: "ann", Resource: "shop"})
	if token := f.accept(tokens.Access); !slices.Equal(token.Audience(), []string{"shop"}) || tokens.ExpiresIn != 5*time.Minute ||
		!slices.Equal(tokens.Scope, []string{"pets:read"}) {
		t.Errorf("%+v", tokens)
	}
	list, err := f.ListResources(t.Context(), issuer.ResourceFilter{}, "petstore", 10)
	if err != nil || len(list) != 2 || list[0].Audience != "shop" || list[0].Declared || list[1].Audience != "zoo" || !list[1].Declared {
		t.Errorf("resources %+v, %v", list, err)
	}
	list, err = f.ListResources(t.Context(), issuer.ResourceFilter{Text: "SHO"}, "", 10)
	if err != nil || len(list) != 1 || list[0].Audience != "shop" {
		t.Errorf("resources %+v, %v", list, err)
	}
	_, err = f.ChangeResource(t.Context(), "shop", func(r *issuer.Resource) error { r.Scopes, r.AccessTTL = nil, 0; return nil })
	f.do(err)
	f.restart()
	next := f.refresh(tokens.Refresh)
	if len(next.Scope) != 0 || next.ExpiresIn != 15*time.Minute {
		t.Errorf("scope %v for %v, want none for 15 min", next.Scope, next.ExpiresIn)
	}
	f.do(f.DeleteResource(t.Context(), "shop"))
	f.refuseRefresh(next.Refresh)
	if _, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann", Resource: "shop"}); !errors.Is(err, issuer.ErrInvalidTarget) {
		t.Errorf("error %v, want ErrInvalidTarget", err)
	}
	f.clock.Advance(time.Millisecond)
	f.createResource(issuer.Resource{Audience: "shop"})
	f.refuseRefresh(next.Refresh) // it is not the resource that the session was for
}

func TestBadResources(t *testing.T) {
	f := newFixture(t, config())
	var input *issuer.InputError
	for name, r := range map[string]issuer.Resource{
		"no audience": {},
		"control":     {Audience: "a\r\n"},
		"TTL":         {Audience: "a", AccessTTL: 25 * time.Hour},
		"scope":       {Audience: "a", Scopes: []string{""}},
		"algorithm":   {Audience: "a", Algorithm: "none"},
	} {
		if err := f.CreateResource(t.Context(), r); !errors.As(err, &input) {
			t.Errorf("%s: error %v, want an InputError", name, err)
		}
	}
	for _, audience := range []string{"petstore", f.AdminAudience()} {
		if err := f.CreateResource(t.Context(), issuer.Resource{Audience: audience}); !errors.Is(err, issuer.ErrTaken) {
			t.Errorf("creating %s: error %v, want ErrTaken", audience, err)
		}
		if _, err := f.ChangeResource(t.Context(), audience, func(*issuer.Resource) error { return nil }); !errors.Is(err, issuer.ErrDeclared) {
			t.Errorf("changing %s: error %v, want ErrDeclared", audience, err)
		}
		if err := f.DeleteResource(t.Context(), audience); !errors.Is(err, issuer.ErrDeclared) {
			t.Errorf("deleting %s: error %v, want ErrDeclared", audience, err)
		}
	}
}

// TestLongerLife: rules and keys outlast the longest token, from the commit on that allows it, and whatever comes
// after.
func TestLongerLife(t *testing.T) {
	f := newFixture(t, config())
	f.createResource(issuer.Resource{Audience: "shop", AccessTTL: time.Hour})
	if f.MaxTTL() != time.Hour {
		t.Errorf("the longest life is %v, want an hour", f.MaxTTL())
	}
	tokens := f.issue(issuer.Grant{Subject: "ann", Resource: "shop"})
	_, err := f.ChangeResource(t.Context(), "shop", func(r *issuer.Resource) error { r.AccessTTL = time.Minute; return nil })
	f.do(err)
	f.do(f.EndSession(t.Context(), "ann", tokens.SessionID))
	f.restart()
	f.clock.Advance(time.Hour - time.Second)
	f.refuse(tokens.Access, jot.ErrRevoked)
	if f.MaxTTL() != time.Hour {
		t.Errorf("the longest life is %v, want an hour still", f.MaxTTL())
	}
}

// TestAlgorithmsSideBySide: a resource's algorithm wins over its client's, and each has keys of its own that rotate by
// themselves.
func TestAlgorithmsSideBySide(t *testing.T) {
	f := newFixture(t, config())
	f.createResource(issuer.Resource{Audience: "ed", Algorithm: jot.EdDSA})
	f.createClient("client_rsa", func(c *issuer.Client) { c.Algorithm = jot.RS256 })
	if got := f.algorithmFor("", "ed"); got != jot.EdDSA {
		t.Errorf("a new resource's token is signed with %s", got)
	}
	if got := f.algorithmFor("", "petstore"); got != jot.ES256 {
		t.Errorf("another resource's token is signed with %s", got)
	}
	if got := f.algorithmFor("client_rsa", "petstore"); got != jot.ES256 {
		t.Errorf("%s signs before verifiers hold its key", got)
	}
	if keys := len(f.published()); keys != 5 { // two of each, one of RS256
		t.Errorf("%d keys are published, want 5", keys)
	}
	f.clock.Advance(10 * time.Minute)
	r, err := f.RotateKey(t.Context(), issuer.RotateOptions{Algorithm: jot.EdDSA})
	if err != nil || r.Algorithm != jot.EdDSA || r.Retiring == "" || r.Published != 3 || !slices.Contains(f.published(), r.Next) {
		t.Errorf("rotation %+v, %v", r, err)
	}
	f.restart()
	f.rotated(jot.RS256)
	if got := f.algorithmFor("client_rsa", "petstore"); got != jot.RS256 {
		t.Errorf("a client's token is signed with %s, want RS256", got)
	}
	if got := f.algorithmFor("client_rsa", "ed"); got != jot.EdDSA {
		t.Errorf("a client's token for a resource with an algorithm of its own is signed with %s", got)
	}
	if _, err := f.RotateKey(t.Context(), issuer.RotateOptions{Algorithm: jot.PS256}); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

// rotated makes sure that an algorithm has an active key, by hand where upkeep hasn't seen to it yet.
func (f *fixture) rotated(a jot.Algorithm) {
	f.Helper()
	_, err := f.RotateKey(f.Context(), issuer.RotateOptions{Algorithm: a})
	f.do(err)
}

// TestAlgorithmInTime: a new algorithm signs by itself when every verifier holds its key, and leaves when nobody asks
// for it any more.
func TestAlgorithmInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.KeyLifetime = 2 * time.Hour
		f := newBubbleFixture(t, c)
		defer f.Close()
		f.createClient("client_ed", func(c *issuer.Client) { c.Algorithm = jot.EdDSA })
		time.Sleep(10*time.Minute - time.Second)
		if got := f.algorithmFor("client_ed", ""); got != jot.ES256 {
			t.Errorf("%s signs too early", got)
		}
		time.Sleep(2 * time.Second)
		if got := f.algorithmFor("client_ed", ""); got != jot.EdDSA {
			t.Errorf("%s signs, want EdDSA", got)
		}
		time.Sleep(c.KeyLifetime)
		if got := f.algorithmFor("client_ed", ""); got != jot.EdDSA {
			t.Errorf("%s signs after a rotation, want EdDSA", got)
		}
		f.do(f.DeleteClient(t.Context(), "client_ed"))
		time.Sleep(c.KeyLifetime + c.AccessTTL + 31*time.Minute)
		for _, key := range f.KeySet().Keys() {
			if key.Algorithm() == jot.EdDSA {
				t.Error("a key that nobody asks for is still published")
			}
		}
	})
}

// TestChangedDefaultAlgorithm: a server that is configured anew signs as before until verifiers hold the new key.
func TestChangedDefaultAlgorithm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newBubbleFixture(t, config())
		before := f.login()
		f.Close()
		f.config.Algorithm = jot.EdDSA
		f.start()
		defer f.Close()
		if got := f.algorithmFor("", ""); got != jot.ES256 {
			t.Errorf("%s signs too early", got)
		}
		time.Sleep(10*time.Minute + time.Second)
		if got := f.algorithmFor("", ""); got != jot.EdDSA {
			t.Errorf("%s signs, want EdDSA", got)
		}
		f.accept(before.Access)
	})
}
