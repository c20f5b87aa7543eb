package issuer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func TestNewSubject(t *testing.T) {
	one, err1 := issuer.NewSubject(json.RawMessage(" {\"a\" : [1, 2]} "), []string{"pets:read"})
	two, err2 := issuer.NewSubject(nil, nil)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if one.ID == two.ID || len(one.ID) < 20 || one.Generation != 1 || string(one.Claims) != `{"a":[1,2]}` || string(two.Claims) != "{}" {
		t.Errorf("subjects %+v and %+v", one, two)
	}
}

func TestClaimsRefused(t *testing.T) {
	for _, claims := range []string{
		`null`, `[]`, `"a"`, `1`, `{`, `{} x`, `{"a":1,"a":2}`, `{"role":1,"Role":2}`, `{"a":{"b":1,"b":2}}`, `{"a":"` + "\xff" + `"}`,
		`{"iss":"x"}`, `{"sub":"x"}`, `{"aud":"x"}`, `{"exp":1}`, `{"EXP":1}`, `{"nbf":1}`, `{"iat":1}`, `{"jti":"x"}`, `{"sid":"x"}`, `{"gen":1}`,
		`{"i\u017fs":"x"}`, `{"scope":"x"}`, `{"\u017fcope":"x"}`, `{"\u0073ub":"x"}`, `{"Client_ID":"x"}`, `{"amr":[]}`, `{"auth_time":1}`,
		`{"cnf":{}}`, `{"act":{}}`, `{"a":"` + strings.Repeat("x", 2048) + `"}`, strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
	} {
		var input *issuer.InputError
		if _, err := issuer.NewSubject(json.RawMessage(claims), nil); !errors.As(err, &input) || input.Field != "claims" {
			t.Errorf("%.60s: error %v, want an *InputError about claims", claims, err)
		}
	}
}

func TestCreateSubject(t *testing.T) {
	f := newFixture(t, config())
	if err := f.CreateSubject(t.Context(), issuer.Subject{ID: "ann"}); !errors.Is(err, issuer.ErrTaken) {
		t.Errorf("error %v, want ErrTaken", err)
	}
	for _, id := range []string{"", "client_web", "a\nb", "\xff", strings.Repeat("x", 256)} {
		var input *issuer.InputError
		if err := f.CreateSubject(t.Context(), issuer.Subject{ID: id}); !errors.As(err, &input) || input.Field != "subject" {
			t.Errorf("%.20q: error %v, want an *InputError about the subject", id, err)
		}
	}
	if err := f.CreateSubject(t.Context(), issuer.Subject{ID: "x", Scope: []string{"a b"}}); err == nil {
		t.Error("a malformed scope was accepted")
	}
	if _, err := f.Subject(t.Context(), "x"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

func TestChangeSubject(t *testing.T) {
	f := newFixture(t, config())
	before := f.login()
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Claims: json.RawMessage(`{"licensedFeatures": ["export"]}`)}))
	f.refuse(before.Access, jot.ErrStaleClaims)
	after := f.refresh(before.Refresh)
	token := f.accept(after.Access)
	var claims struct {
		Features []string `json:"licensedFeatures"`
	}
	if err := token.Decode(&claims); err != nil || fmt.Sprint(claims.Features) != "[export]" || token.Generation() != 2 || token.Scope() != "pets:read pets:write" {
		t.Errorf("claims %+v, gen %d, scope %q, %v", claims, token.Generation(), token.Scope(), err)
	}

	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: []string{"pets:read"}}))
	f.refuse(after.Access, jot.ErrStaleClaims)
	after = f.refresh(after.Refresh)
	if token = f.accept(after.Access); token.Scope() != "pets:read" || token.Generation() != 3 {
		t.Errorf("scope %q, gen %d", token.Scope(), token.Generation())
	}

	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Claims: json.RawMessage(`{}`), Soft: true}))
	if token = f.accept(after.Access); !token.RefreshAdvised() {
		t.Error("a soft change doesn't advise a refresh")
	}
	if token = f.accept(f.refresh(after.Refresh).Access); token.RefreshAdvised() || token.Generation() != 4 {
		t.Errorf("after a refresh: gen %d, advised %v", token.Generation(), token.RefreshAdvised())
	}

	if err := f.ChangeSubject(t.Context(), "nobody", issuer.Change{}); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
	if err := f.ChangeSubject(t.Context(), "ann", issuer.Change{Claims: json.RawMessage(`{"sub":"eve"}`)}); err == nil {
		t.Error("reserved claims were accepted")
	}
}

func TestDisableSubject(t *testing.T) {
	f := newFixture(t, config())
	before := f.login()
	f.do(f.DisableSubject(t.Context(), "ann"))
	f.do(f.DisableSubject(t.Context(), "ann"))
	f.refuse(before.Access, jot.ErrStaleClaims)
	f.refuseRefresh(before.Refresh)
	s, err := f.Subject(t.Context(), "ann")
	if err != nil || !s.Disabled || s.Generation != 2 {
		t.Errorf("subject %+v, %v", s, err)
	}
	f.do(f.EnableSubject(t.Context(), "ann"))
	f.do(f.EnableSubject(t.Context(), "ann"))
	f.refuseRefresh(before.Refresh)
	f.refuse(before.Access, jot.ErrStaleClaims)
	f.accept(f.login().Access)
	for _, err := range []error{f.DisableSubject(t.Context(), "nobody"), f.EnableSubject(t.Context(), "nobody")} {
		if !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
	}
}

// TestDisabledInDatabase: the flag alone is enough, however it came there.
func TestDisabledInDatabase(t *testing.T) {
	f := newFixture(t, config())
	tokens := f.login()
	f.do(f.openStore().Update(t.Context(), func(tx issuer.Tx) error {
		s, err := tx.Subject("ann")
		s.Disabled = true
		return errors.Join(err, tx.UpdateSubject(s))
	}))
	f.refuseRefresh(tokens.Refresh)
}

// TestIssueAgainstChange issues and refreshes while the claims change: once a change has returned, no token with claims
// of before is accepted, whenever it was asked for.
func TestIssueAgainstChange(t *testing.T) {
	f := newFixture(t, config())
	const changes = 40
	tokens := make(chan issuer.Tokens, 10000)
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			pair, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann"})
			for ; err == nil; pair, err = f.tryRefresh(pair.Refresh) {
				select {
				case tokens <- pair:
				case <-stop:
					return
				}
			}
			t.Error(err)
		})
	}
	for n := 1; n <= changes; n++ {
		claims := json.RawMessage(fmt.Sprintf(`{"version":%d}`, n))
		f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Claims: claims}))
		for range len(tokens) {
			f.checkVersion(<-tokens, n)
		}
		f.clock.Advance(time.Millisecond)
	}
	close(stop)
	wait.Wait()
	for range len(tokens) {
		f.checkVersion(<-tokens, changes)
	}
}

// checkVersion: a token that is accepted has claims of at least a version, for older ones were changed before it was
// checked.
func (f *fixture) checkVersion(tokens issuer.Tokens, least int) {
	f.Helper()
	token, err := f.Verifier().Verify(f.Context(), tokens.Access)
	if errors.Is(err, jot.ErrStaleClaims) {
		return
	}
	f.do(err)
	var claims struct {
		Version int `json:"version"`
	}
	f.do(token.Decode(&claims))
	if claims.Version < least {
		f.Errorf("a token with version %d was accepted after the change to %d", claims.Version, least)
	}
}

// TestIssueAgainstDisable: whichever comes first, a disabled subject has no good token.
func TestIssueAgainstDisable(t *testing.T) {
	f := newFixture(t, config())
	for n := range 20 {
		id := fmt.Sprint("subject", n)
		f.createSubject(id)
		var tokens issuer.Tokens
		var issued, disabled error
		var wait sync.WaitGroup
		wait.Go(func() { tokens, issued = f.Issue(t.Context(), issuer.Grant{Subject: id}) })
		wait.Go(func() { disabled = f.DisableSubject(t.Context(), id) })
		wait.Wait()
		f.do(disabled)
		if issued == nil {
			f.refuse(tokens.Access, jot.ErrStaleClaims)
			f.refuseRefresh(tokens.Refresh)
		} else if !errors.Is(issued, issuer.ErrInvalidGrant) {
			t.Fatal(issued)
		}
	}
}
