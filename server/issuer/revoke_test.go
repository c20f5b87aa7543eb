package issuer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func TestRevokeAccessToken(t *testing.T) {
	f := newFixture(t, config())
	one := f.login()
	other := f.refresh(one.Refresh)
	f.do(f.RevokeToken(t.Context(), one.Access, "client_guest")) // not its token
	f.accept(one.Access)
	f.do(f.RevokeToken(t.Context(), one.Access, "client_web"))
	f.refuse(one.Access, jot.ErrRevoked)
	f.accept(other.Access)
	f.refresh(other.Refresh)

	head, err := f.LogHead(t.Context())
	f.do(err)
	f.do(f.RevokeToken(t.Context(), one.Access, ""))
	f.clock.Advance(time.Hour)
	f.do(f.RevokeToken(t.Context(), other.Access, ""))
	if after, err := f.LogHead(t.Context()); err != nil || after != head {
		t.Errorf("revoking what is of no use any more grew the log from %d to %d", head.Sequence, after.Sequence)
	}
}

func TestRevokeRefreshToken(t *testing.T) {
	for name, pick := range map[string]func(f *fixture, first issuer.Tokens) (token string, latest issuer.Tokens){
		"current": func(_ *fixture, first issuer.Tokens) (string, issuer.Tokens) { return first.Refresh, first },
		"previous": func(f *fixture, first issuer.Tokens) (string, issuer.Tokens) {
			return first.Refresh, f.refresh(first.Refresh)
		},
		"spent": func(f *fixture, first issuer.Tokens) (string, issuer.Tokens) {
			return first.Refresh, f.refresh(f.refresh(first.Refresh).Refresh)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			token, latest := pick(f, f.login())
			f.do(f.RevokeToken(t.Context(), token, "client_guest")) // not its token
			f.accept(latest.Access)
			f.do(f.RevokeToken(t.Context(), token, ""))
			f.refuse(latest.Access, jot.ErrRevoked)
			f.refuseRefresh(latest.Refresh)
			f.do(f.RevokeToken(t.Context(), token, ""))
			session, err := f.Session(t.Context(), latest.SessionID)
			if err != nil || session.EndReason != issuer.EndedByRevoke {
				t.Errorf("session %+v, %v", session, err)
			}
		})
	}
}

func TestRevokeForeignTokens(t *testing.T) {
	f := newFixture(t, config())
	key, err := jot.GenerateKey(jot.ES256)
	f.do(err)
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
	f.do(err)
	foreign, err := signer.Sign(t.Context(), map[string]any{"iss": f.URL(), "sub": "ann", "client_id": "client_web", "jti": "x", "aud": "petstore",
		"exp": f.clock.Now().Unix() + 60, "iat": f.clock.Now().Unix()})
	f.do(err)
	for _, token := range []string{"", "nonsense", "a.b.c", "jrt_", "jrt_nonsense", foreign} {
		if err := f.RevokeToken(t.Context(), token, ""); err != nil {
			t.Errorf("%.20q: %v", token, err)
		}
	}
	if head, err := f.LogHead(t.Context()); err != nil || head.Sequence != 0 {
		t.Errorf("the log has %d rules, %v", head.Sequence, err)
	}
	if err := f.RevokeToken(t.Context(), "", "client_unknown"); !errors.Is(err, issuer.ErrInvalidClient) {
		t.Errorf("error %v, want ErrInvalidClient", err)
	}
}

func TestEndSession(t *testing.T) {
	f := newFixture(t, config())
	f.createSubject("bob")
	one, other := f.login(), f.login()
	for _, who := range []string{"bob", "", "nobody"} {
		if err := f.EndSession(t.Context(), who, one.SessionID); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("%q ends a session of ann's: %v, want ErrNotFound", who, err)
		}
	}
	if err := f.EndSession(t.Context(), "ann", "unknown"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("unknown session: %v, want ErrNotFound", err)
	}
	f.accept(one.Access)
	f.do(f.EndSession(t.Context(), "ann", one.SessionID))
	f.do(f.EndSession(t.Context(), "ann", one.SessionID))
	f.refuse(one.Access, jot.ErrRevoked)
	f.refuseRefresh(one.Refresh)
	f.accept(other.Access)
	f.refresh(other.Refresh)
	if head, err := f.LogHead(t.Context()); err != nil || head.Sequence != 1 {
		t.Errorf("the log has %d rules, want 1; %v", head.Sequence, err)
	}
}

func TestEndSessionOf(t *testing.T) {
	f := newFixture(t, config())
	first := f.login()
	latest := f.refresh(first.Refresh)
	broken := []byte(latest.Refresh)
	broken[len(broken)-10] ^= 1
	for name, token := range map[string]string{"nothing": "", "garbage": "jrt_garbage", "broken MAC": string(broken), "access token": latest.Access} {
		if err := f.EndSessionOf(t.Context(), token, ""); !errors.Is(err, issuer.ErrInvalidGrant) {
			t.Errorf("%s: error %v, want ErrInvalidGrant", name, err)
		}
	}
	if err := f.EndSessionOf(t.Context(), latest.Refresh, "client_guest"); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("another client: error %v, want ErrInvalidGrant", err)
	}
	if err := f.EndSessionOf(t.Context(), latest.Refresh, "client_unknown"); !errors.Is(err, issuer.ErrInvalidClient) {
		t.Errorf("unknown client: error %v, want ErrInvalidClient", err)
	}
	f.accept(latest.Access)
	f.do(f.EndSessionOf(t.Context(), first.Refresh, "client_web"))
	f.do(f.EndSessionOf(t.Context(), latest.Refresh, ""))
	f.refuse(latest.Access, jot.ErrRevoked)
	f.refuseRefresh(latest.Refresh)
	session, err := f.Session(t.Context(), latest.SessionID)
	if err != nil || session.EndReason != issuer.EndedByLogout {
		t.Errorf("session %+v, %v", session, err)
	}
}

func TestEndSessions(t *testing.T) {
	f := newFixture(t, config())
	f.createSubject("bob")
	one, two, bobs := f.login(), f.login(), f.issue(issuer.Grant{Subject: "bob"})
	f.do(f.EndSessions(t.Context(), "ann"))
	for _, tokens := range []issuer.Tokens{one, two} {
		f.refuse(tokens.Access, jot.ErrRevoked)
		f.refuseRefresh(tokens.Refresh)
	}
	f.accept(bobs.Access)
	f.refresh(bobs.Refresh)
	if err := f.EndSessions(t.Context(), "nobody"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

// TestIssueWaitsBounded: where the database's clock stands still, a login doesn't wait for it forever.
func TestIssueWaitsBounded(t *testing.T) {
	f := newFixture(t, config())
	f.do(f.EndSessions(t.Context(), "ann"))
	if _, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann"}); !errors.Is(err, issuer.ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
}
