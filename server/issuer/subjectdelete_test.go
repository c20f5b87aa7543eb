package issuer_test

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func TestDeleteSubject(t *testing.T) {
	f := newFixture(t, config())
	f.createSubject("bob")
	tokens, bobs := f.login(), f.issue(issuer.Grant{Subject: "bob"})
	f.do(f.DeleteSubject(t.Context(), "ann"))
	f.restart()
	gone := func(err error) {
		t.Helper()
		if !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
	}
	f.refuse(tokens.Access, jot.ErrStaleClaims)
	f.refuseRefresh(tokens.Refresh)
	_, err := f.Subject(t.Context(), "ann")
	gone(err)
	_, err = f.Issue(t.Context(), issuer.Grant{Subject: "ann"})
	gone(err)
	gone(f.ChangeSubject(t.Context(), "ann", issuer.Change{}))
	gone(f.DisableSubject(t.Context(), "ann"))
	gone(f.EnableSubject(t.Context(), "ann"))
	gone(f.EndSessions(t.Context(), "ann"))
	gone(f.OutdateSubject(t.Context(), "ann", "", nil))
	gone(f.DeleteSubject(t.Context(), "ann"))
	f.accept(f.refresh(bobs.Refresh).Access)
	f.do(f.store.View(t.Context(), func(r issuer.Reader) error {
		left, err := r.Subject("ann")
		if string(left.Claims) != "{}" || len(left.Scope) != 0 {
			t.Errorf("what is left of the subject is %+v", left)
		}
		return err
	}))

	f.createSubject("ann")
	again := f.login()
	f.accept(again.Access)
	f.accept(f.refresh(again.Refresh).Access)
	f.refuse(tokens.Access, jot.ErrStaleClaims)
	f.refuseRefresh(tokens.Refresh)
}

// TestDeleteSubjectRace: whichever comes first, a deleted subject has no good token.
func TestDeleteSubjectRace(t *testing.T) {
	f := newFixture(t, config())
	remove := func(subject string) error { return f.DeleteSubject(t.Context(), subject) }
	f.endBesideOthers(remove, func(before, refreshed, issued issuer.Tokens) {
		for _, tokens := range []issuer.Tokens{before, refreshed, issued} {
			if tokens.Access != "" {
				f.refuse(tokens.Access, jot.ErrStaleClaims)
				f.refuseRefresh(tokens.Refresh)
			}
		}
	})
}

// TestOwnLogin: a grant that brings claims makes its subject, changes it, or leaves it alone.
func TestOwnLogin(t *testing.T) {
	f := newFixture(t, config())
	login := func(claims string, scope ...string) issuer.Tokens {
		t.Helper()
		return f.issue(issuer.Grant{Subject: "42", Claims: json.RawMessage(claims), Scope: scope})
	}
	first := login(`{"role": "keeper"}`, "pets:read", "unknown")
	if first.Scope[0] != "pets:read" || len(first.Scope) != 1 {
		t.Errorf("scope %v", first.Scope)
	}
	same := login(`{"role":"keeper"}`, "unknown", "pets:read")
	f.accept(first.Access)
	kept := f.issue(issuer.Grant{Subject: "42", Claims: json.RawMessage(`{"role":"keeper"}`)})
	if len(kept.Scope) != 1 {
		t.Errorf("scope %v, want that of before", kept.Scope)
	}
	f.accept(same.Access)
	changed := login(`{"role":"guest"}`, "pets:read", "unknown")
	f.refuse(first.Access, jot.ErrStaleClaims)
	token := f.accept(changed.Access)
	var claims struct {
		Role string `json:"role"`
	}
	if f.do(token.Decode(&claims)); claims.Role != "guest" {
		t.Errorf("claims %+v", claims)
	}
	f.accept(f.refresh(first.Refresh).Access) // the session goes on, with the new claims
	narrowed := login(`{"role":"guest"}`, "pets:write")
	f.refuse(changed.Access, jot.ErrStaleClaims)
	f.accept(narrowed.Access)

	f.do(f.DisableSubject(t.Context(), "42"))
	if _, err := f.Issue(t.Context(), issuer.Grant{Subject: "42", Claims: json.RawMessage(`{}`)}); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("a disabled subject: error %v, want ErrInvalidGrant", err)
	}
	f.do(f.DeleteSubject(t.Context(), "42"))
	again := login(`{}`, "pets:read")
	f.accept(again.Access)
	f.refuse(narrowed.Access, jot.ErrStaleClaims)
	f.refuseRefresh(narrowed.Refresh)
}

func TestBadOwnLogin(t *testing.T) {
	f := newFixture(t, config())
	var input *issuer.InputError
	for name, g := range map[string]issuer.Grant{
		"client":   {Subject: "client_web", Claims: json.RawMessage(`{}`)},
		"empty":    {Claims: json.RawMessage(`{}`)},
		"reserved": {Subject: "42", Claims: json.RawMessage(`{"sub":"43"}`)},
		"no JSON":  {Subject: "42", Claims: json.RawMessage(`{`)},
		"scope":    {Subject: "42", Claims: json.RawMessage(`{}`), Scope: []string{"a b"}},
	} {
		if _, err := f.Issue(t.Context(), g); !errors.As(err, &input) {
			t.Errorf("%s: error %v, want an InputError", name, err)
		}
	}
	if _, err := f.Subject(t.Context(), "42"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

// TestOwnLoginRace: of many first logins of one user, one makes the subject and all get tokens.
func TestOwnLoginRace(t *testing.T) {
	f := newFixture(t, config())
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			tokens, err := f.Issue(t.Context(), issuer.Grant{Subject: "42", Claims: json.RawMessage(`{"a":1}`), Scope: []string{"pets:read"}})
			if err == nil {
				err = f.Verifier().Check(t.Context(), tokens.Access)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}
