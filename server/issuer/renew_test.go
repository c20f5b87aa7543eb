package issuer_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func (f *fixture) renewal(sid string) issuer.Renewal {
	return issuer.Renewal{Subject: "ann", SessionID: sid, AMR: []string{"pwd"}, UserAgent: "phone", Address: "192.0.2.1"}
}

// TestRenewSession: one session remains, which is a new one, and no token of before gets any further.
func TestRenewSession(t *testing.T) {
	f := newFixture(t, config())
	other := f.login()
	present := f.issue(issuer.Grant{Subject: "ann", Resource: "zoo", Scope: []string{"pets:read"}})
	r := f.renewal(present.SessionID)
	ran := 0
	r.Confirm = func(issuer.Tx) error { ran++; return nil }
	renewed, err := f.RenewSession(t.Context(), r)
	f.do(err)
	for _, before := range []issuer.Tokens{other, present} {
		f.refuse(before.Access, jot.ErrStaleClaims)
		f.refuseRefresh(before.Refresh)
		session, err := f.Session(t.Context(), before.SessionID)
		if err != nil || session.EndReason != issuer.EndedByPassword {
			t.Errorf("session %+v, %v", session, err)
		}
	}
	token := f.accept(renewed.Access)
	if ran != 1 || token.Audience()[0] != "zoo" || token.Scope() != "pets:read" || token.ClientID() != "client_web" || renewed.SessionID == present.SessionID {
		t.Errorf("confirmed %d times; got %+v", ran, renewed)
	}
	f.accept(f.refresh(renewed.Refresh).Access)
}

// TestRenewSessionRefused: what isn't the subject's own live session renews nothing, and a Confirm that fails undoes
// all.
func TestRenewSessionRefused(t *testing.T) {
	f := newFixture(t, config())
	f.createSubject("bob")
	ended, bobs, live := f.login(), f.issue(issuer.Grant{Subject: "bob"}), f.login()
	f.do(f.EndSession(t.Context(), "ann", ended.SessionID))
	failure := errors.New("no")
	failing := f.renewal(live.SessionID)
	failing.Confirm = func(issuer.Tx) error { return failure }
	for name, c := range map[string]struct {
		renewal issuer.Renewal
		want    error
	}{
		"ended":     {f.renewal(ended.SessionID), issuer.ErrInvalidGrant},
		"another's": {f.renewal(bobs.SessionID), issuer.ErrNotFound},
		"unknown":   {f.renewal(""), issuer.ErrNotFound},
		"confirm":   {failing, failure},
	} {
		if _, err := f.RenewSession(t.Context(), c.renewal); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	f.accept(live.Access)
	f.refresh(live.Refresh)
	f.do(f.DisableSubject(t.Context(), "ann"))
	if _, err := f.RenewSession(t.Context(), f.renewal(live.SessionID)); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("disabled: %v", err)
	}
}

// TestRenewSessionRace: of many that renew at once one does, and logins that confirmed what it replaced have no session
// left.
func TestRenewSessionRace(t *testing.T) {
	f := newFixture(t, config())
	present := f.login()
	changed := "changed"
	// The setting stands for the password: 0 is the old one.
	old := func(tx issuer.Tx) error {
		if _, err := tx.Setting(changed); !errors.Is(err, issuer.ErrNotFound) {
			return errors.Join(issuer.ErrInvalidCredentials, err)
		}
		return nil
	}
	var mu sync.Mutex
	var renewed, logins []issuer.Tokens
	var wait sync.WaitGroup
	for n := range 24 {
		wait.Go(func() {
			var tokens issuer.Tokens
			var err error
			if n%6 == 0 {
				r := f.renewal(present.SessionID)
				r.Confirm = func(tx issuer.Tx) error { return errors.Join(old(tx), tx.PutSetting(changed, 1)) }
				tokens, err = f.RenewSession(t.Context(), r)
			} else {
				tokens, err = f.Issue(t.Context(), issuer.Grant{Subject: "ann", Confirm: old})
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil && !errors.Is(err, issuer.ErrInvalidCredentials) && !errors.Is(err, issuer.ErrInvalidGrant):
				t.Error(err)
			case err == nil && n%6 == 0:
				renewed = append(renewed, tokens)
			case err == nil:
				logins = append(logins, tokens)
			}
		})
	}
	wait.Wait()
	if len(renewed) != 1 {
		t.Fatalf("%d renewed", len(renewed))
	}
	for _, tokens := range logins {
		f.refuse(tokens.Access, jot.ErrStaleClaims)
		f.refuseRefresh(tokens.Refresh)
	}
	f.accept(renewed[0].Access)
	live, next, err := f.SessionsOf(t.Context(), "ann", "", 100)
	if err != nil || len(live) != 1 || live[0].ID != renewed[0].SessionID || next != "" {
		t.Errorf("live sessions %+v, next %q, %v", live, next, err)
	}
}

// TestSessionsOf lists the live ones only, page by page, past those that have expired.
func TestSessionsOf(t *testing.T) {
	c := config()
	c.IdleTTL = time.Hour
	f := newFixture(t, c)
	f.createSubject("bob")
	f.issue(issuer.Grant{Subject: "bob"})
	for range 5 {
		f.login()
	}
	f.clock.Advance(2 * time.Hour)
	f.do(f.EndSession(t.Context(), "ann", f.login().SessionID))
	want := map[string]bool{}
	for range 5 {
		want[f.login().SessionID] = true
	}
	after, pages := "", 0
	for ok := true; ok; ok = after != "" {
		live, next, err := f.SessionsOf(t.Context(), "ann", after, 2)
		if err != nil || len(live) > 2 || next != "" && len(live) < 2 {
			t.Fatalf("%d sessions, next %q, %v", len(live), next, err)
		}
		for _, s := range live {
			if !want[s.ID] || s.ID <= after {
				t.Errorf("session %+v is listed after %q", s, after)
			}
			delete(want, s.ID)
		}
		after = next
		pages++
	}
	if len(want) != 0 || pages != 3 {
		t.Errorf("after %d pages, %d are missing", pages, len(want))
	}
}

// TestRenewSessionUnsigned: where signing fails after the commit, all else has happened, and is told once: whoever
// asked logs in anew.
func TestRenewSessionUnsigned(t *testing.T) {
	f := newFixture(t, config())
	vault, key := newSafe(t)
	f.do(f.ImportKey(t.Context(), key))
	f.clock.Advance(10 * time.Minute)
	f.rotate()
	present := f.login()
	stored, told := 0, 0
	r := f.renewal(present.SessionID)
	r.Confirm, r.Committed = func(issuer.Tx) error { stored++; return nil }, func() { told++ }
	vault.err = errors.New("no answer")
	if _, err := f.RenewSession(t.Context(), r); !errors.Is(err, issuer.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	vault.err = nil
	if _, err := f.RenewSession(t.Context(), r); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("once more: error %v, want ErrInvalidGrant", err)
	}
	if stored != 1 || told != 1 {
		t.Errorf("stored %d times, told %d times", stored, told)
	}
	f.refuseRefresh(present.Refresh)
	f.accept(f.login().Access)
}

// TestRenewSessionKeepsScope: the new session has what the present one has, and no more: not where that is nothing, and
// with the scopes of OpenID Connect.
func TestRenewSessionKeepsScope(t *testing.T) {
	c, request, redeem := browsing()
	f := newFixture(t, c)
	renew := func(sid, want string) {
		t.Helper()
		renewed, err := f.RenewSession(t.Context(), f.renewal(sid))
		f.do(err)
		if got := f.accept(renewed.Access).Scope(); got != want {
			t.Errorf("scope %q, want %q", got, want)
		}
		if got := f.accept(f.refresh(renewed.Refresh).Access).Scope(); got != want {
			t.Errorf("refreshed: scope %q, want %q", got, want)
		}
	}
	renew(f.issue(issuer.Grant{Subject: "ann", Resource: "zoo", Scope: []string{"zoo:visit"}}).SessionID, "") // which ann doesn't have
	lost := f.issue(issuer.Grant{Subject: "ann", Scope: []string{"pets:write"}})
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: []string{"pets:read"}}))
	renew(lost.SessionID, "")

	secret, _, err := f.SignIn(t.Context(), issuer.Proof{Subject: "ann", AMR: []string{"pwd"}}, "")
	f.do(err)
	request.Scope = []string{"openid", "pets:read"}
	d, err := f.Authorize(t.Context(), request, secret, issuer.Shown{})
	f.do(err)
	tokens, err := f.RedeemCode(t.Context(), redeem(d.Code))
	f.do(err)
	renew(tokens.SessionID, "openid pets:read")
}
