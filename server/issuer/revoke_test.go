package issuer_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// TestRevokeAnyToken: an administrator revokes whichever client's token, and is told of what isn't one. An ID token
// isn't, and neither is what another program signs without an ID with a key that was imported.
func TestRevokeAnyToken(t *testing.T) {
	c := config()
	c.Clients = append(c.Clients, issuer.Client{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{callback}})
	f := newFixture(t, c)
	_, app := f.authorized(callback, "openid", "pets:read")
	unnamed := f.importedKey()(nil)
	f.accept(unnamed)
	for _, token := range []string{"", "nonsense", "a.b.c", "jrt_", "jrt_nonsense", app.ID, unnamed, app.Refresh[:len(app.Refresh)-4] + "AAAA"} {
		if err := f.RevokeAnyToken(t.Context(), token); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("%.20q: error %v, want ErrNotFound", token, err)
		}
		for _, client := range []string{"client_app", "client_web"} {
			if err := f.RevokeToken(t.Context(), token, client); err != nil {
				t.Errorf("%.20q, by %s: %v", token, client, err)
			}
		}
	}
	if head, err := f.LogHead(t.Context()); err != nil || head.Sequence != 0 {
		t.Errorf("the log has %d rules, %v", head.Sequence, err)
	}
	f.do(f.RevokeAnyToken(t.Context(), app.Access))
	f.refuse(app.Access, jot.ErrRevoked)
	next, err := f.refreshWith("client_app", app.Refresh)
	f.do(err)
	f.do(f.RevokeAnyToken(t.Context(), app.Refresh)) // a spent one names its session as well
	f.refuse(next.Access, jot.ErrRevoked)
	told, err := f.Events(t.Context(), issuer.EventFilter{Kind: issuer.EventRevocationToken}, 0, 10)
	if err != nil || len(told) != 1 || told[0].Subject != "ann" || told[0].Session != app.SessionID || told[0].ClientID != "client_app" {
		t.Errorf("events %+v, %v", told, err)
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

func TestSessionOf(t *testing.T) {
	f := newFixture(t, config())
	first := f.login()
	latest := f.refresh(first.Refresh)
	broken := []byte(latest.Refresh)
	broken[len(broken)-10] ^= 1
	for name, token := range map[string]string{"nothing": "", "garbage": "jrt_garbage", "broken MAC": string(broken), "access token": latest.Access} {
		if _, err := f.SessionOf(t.Context(), token, ""); !errors.Is(err, issuer.ErrInvalidGrant) {
			t.Errorf("%s: error %v, want ErrInvalidGrant", name, err)
		}
	}
	if _, err := f.SessionOf(t.Context(), latest.Refresh, "client_guest"); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("another client: error %v, want ErrInvalidGrant", err)
	}
	if _, err := f.SessionOf(t.Context(), latest.Refresh, "client_unknown"); !errors.Is(err, issuer.ErrInvalidClient) {
		t.Errorf("unknown client: error %v, want ErrInvalidClient", err)
	}
	f.accept(latest.Access)
	for _, token := range []string{first.Refresh, latest.Refresh} { // a spent one names its session as well
		if session, err := f.SessionOf(t.Context(), token, ""); err != nil || session.ID != latest.SessionID {
			t.Errorf("session %+v, %v", session, err)
		}
	}
	f.accept(latest.Access)
	f.do(f.EndSession(t.Context(), latest.Subject, latest.SessionID))
	if _, err := f.SessionOf(t.Context(), latest.Refresh, ""); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("a session that is over: error %v, want ErrNotFound", err)
	}
}

func TestEndSessions(t *testing.T) {
	f := newFixture(t, config())
	f.createSubject("bob")
	one, two, bobs := f.login(), f.login(), f.issue(issuer.Grant{Subject: "bob"})
	f.do(f.EndSessions(t.Context(), "ann"))
	for _, tokens := range []issuer.Tokens{one, two} {
		f.refuse(tokens.Access, jot.ErrStaleClaims)
		f.refuseRefresh(tokens.Refresh)
	}
	f.accept(bobs.Access)
	f.refresh(bobs.Refresh)
	if err := f.EndSessions(t.Context(), "nobody"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

// TestLoginAfterEndSessions: a login right after a logout everywhere is good at once, and everything of before is
// refused, wherever the clock goes.
func TestLoginAfterEndSessions(t *testing.T) {
	for _, jump := range []time.Duration{0, -5 * time.Second, -time.Hour} {
		f := newFixture(t, config())
		before := f.login()
		f.clock.Advance(jump / 2)
		f.do(f.EndSessions(t.Context(), "ann"))
		f.clock.Advance(jump / 2)
		f.refuse(before.Access, jot.ErrInvalidToken)
		f.refuseRefresh(before.Refresh)
		after := f.login()
		f.accept(after.Access)
		f.accept(f.refresh(after.Refresh).Access)
	}
}

// TestRevokeManyAccessTokens: a session whose access tokens are revoked one by one ends before its rules are many.
func TestRevokeManyAccessTokens(t *testing.T) {
	f := newFixture(t, config())
	tokens, other := f.login(), f.login()
	for range 8 {
		f.do(f.RevokeToken(t.Context(), tokens.Access, ""))
		f.do(f.RevokeToken(t.Context(), tokens.Access, "")) // counts once
		f.refuse(tokens.Access, jot.ErrRevoked)
		tokens = f.refresh(tokens.Refresh)
	}
	latest := f.refresh(tokens.Refresh)
	f.accept(latest.Access)
	f.do(f.RevokeToken(t.Context(), tokens.Access, ""))
	f.refuse(tokens.Access, jot.ErrRevoked)
	f.refuse(latest.Access, jot.ErrRevoked)
	f.refuseRefresh(latest.Refresh)
	if head, err := f.LogHead(t.Context()); err != nil || head.Sequence != 9 {
		t.Errorf("the log has %d rules, want 9; %v", head.Sequence, err)
	}
	f.accept(other.Access)
}

// TestRevokeExchangedTokenOfBusySession: what was got in exchange takes no session along, also where the session's own
// client has given back as many as are revoked one by one.
func TestRevokeExchangedTokenOfBusySession(t *testing.T) {
	f := newFixture(t, config())
	_, hash := issuer.NewClientSecret()
	f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}))
	tokens := f.login()
	for range 8 {
		f.do(f.RevokeToken(t.Context(), tokens.Access, ""))
		tokens = f.refresh(tokens.Refresh)
	}
	exchanged, err := f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: tokens.Access})
	f.do(err)
	f.do(f.RevokeToken(t.Context(), exchanged.Access, "client_gateway"))
	f.refuse(exchanged.Access, jot.ErrRevoked)
	f.accept(tokens.Access)
	f.refresh(tokens.Refresh)
}

// TestRevocationIsTold, once.
func TestRevocationIsTold(t *testing.T) {
	f := newFixture(t, config())
	f.do(f.RevokeClient(t.Context(), "client_web"))
	f.do(f.RevokeEverything(t.Context()))
	for kind, client := range map[issuer.EventKind]string{issuer.EventRevocationClient: "client_web", issuer.EventRevocationAll: ""} {
		if told, err := f.Events(t.Context(), issuer.EventFilter{Kind: kind}, 0, 10); err != nil || len(told) != 1 || told[0].ClientID != client {
			t.Errorf("%s: %+v, %v", kind, told, err)
		}
	}
	if told, err := f.Events(t.Context(), issuer.EventFilter{}, 0, 10); err != nil || len(told) != 3 { // and that there is ann
		t.Errorf("%+v, %v", told, err)
	}
}

// TestRevokedWhileTheClockWasAhead: a rule about a token or session that the clock's error took into the future lives
// as long as they.
func TestRevokedWhileTheClockWasAhead(t *testing.T) {
	f := newFixture(t, config())
	f.clock.Advance(time.Hour)
	one, two, three := f.login(), f.login(), f.login()
	f.do(f.RevokeToken(t.Context(), one.Access, ""))
	f.clock.Advance(-time.Hour)
	f.do(f.EndSession(t.Context(), "ann", two.SessionID))
	f.refresh(three.Refresh) // what it got before is of the future all the same
	f.do(f.EndSession(t.Context(), "ann", three.SessionID))
	f.stayRefused(one, two, three)
}

// stayRefused looks at access tokens until the clock, which was an hour ahead when they were issued, is where they have
// expired.
func (f *fixture) stayRefused(all ...issuer.Tokens) {
	f.Helper()
	for range 15 {
		f.restart()
		for n, tokens := range all {
			if _, err := f.Verifier().Verify(f.Context(), tokens.Access); !errors.Is(err, jot.ErrInvalidToken) {
				f.Fatalf("at %v token %d: %v", f.clock.Now(), n, err)
			}
		}
		f.clock.Advance(5 * time.Minute)
	}
}

// TestEndedWhileTheClockWasAhead: nor do all of a subject's tokens become good again when the clock gets to where it
// was, not even for whoever bears its ID then.
func TestEndedWhileTheClockWasAhead(t *testing.T) {
	for name, end := range map[string]func(f *fixture) error{
		"a logout everywhere": func(f *fixture) error { return f.EndSessions(f.Context(), "ann") },
		"a new password":      func(f *fixture) error { return f.OutdateSubject(f.Context(), "ann", "", nil) },
		"disabled":            func(f *fixture) error { return f.DisableSubject(f.Context(), "ann") },
		"deleted":             func(f *fixture) error { return f.DeleteSubject(f.Context(), "ann") },
		"other claims":        func(f *fixture) error { return f.ChangeSubject(f.Context(), "ann", issuer.Change{}) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			f.clock.Advance(time.Hour)
			tokens := f.login()
			f.clock.Advance(-time.Hour)
			f.do(end(f))
			f.stayRefused(tokens)
		})
	}
}

// TestIDAfterTheClockWasSetBack: whoever bears the ID of a subject that was deleted meets no rule about that one,
// however far the clock was ahead before.
func TestIDAfterTheClockWasSetBack(t *testing.T) {
	const ahead = 90 * 24 * time.Hour
	f := newFixture(t, config())
	f.clock.Advance(ahead)
	tokens := f.login()
	f.clock.Advance(-ahead)
	f.do(f.DeleteSubject(t.Context(), "ann"))
	f.clock.Advance(60 * 24 * time.Hour)
	f.restart()
	f.do(f.Sweep(t.Context()))
	f.createSubject("ann")
	f.accept(f.login().Access)
	f.clock.Advance(30 * 24 * time.Hour)
	f.stayRefused(tokens)
}

// TestBusySubjectAfterTheClockWasSetBack: so it is where somebody has more sessions than one transaction looks through.
func TestBusySubjectAfterTheClockWasSetBack(t *testing.T) {
	f := newFixture(t, config())
	now := f.clock.Now()
	f.do(f.store.Update(t.Context(), func(tx issuer.Tx) (err error) {
		for n := range 500 {
			err = errors.Join(err, tx.InsertSession(issuer.Session{
				ID: fmt.Sprint("! ", n), Subject: "ann", Generation: 1, ClientID: "client_web", Resource: "petstore",
				AuthTime: now, Created: now, LastUsed: now, IdleExpires: now.Add(time.Hour), Expires: now.Add(time.Hour),
			}))
		}
		return err
	}))
	f.clock.Advance(time.Hour)
	tokens := f.login()
	f.clock.Advance(-time.Hour)
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{}))
	f.stayRefused(tokens)
}

// TestPasswordChangedAfterTheClockWasSetBack: the session that is kept goes on, and its access tokens of before are
// over.
func TestPasswordChangedAfterTheClockWasSetBack(t *testing.T) {
	f := newFixture(t, config())
	f.clock.Advance(time.Hour)
	tokens := f.login()
	f.clock.Advance(-time.Hour)
	f.do(f.OutdateSubject(t.Context(), "ann", tokens.SessionID, nil))
	f.accept(f.refresh(tokens.Refresh).Access)
	f.stayRefused(tokens)
}

// TestClientGoneAfterTheClockWasSetBack: neither what a client got for others becomes good again, nor what it got for
// itself.
func TestClientGoneAfterTheClockWasSetBack(t *testing.T) {
	for name, end := range map[string]func(f *fixture) error{
		"deleted": func(f *fixture) error { return f.DeleteClient(f.Context(), "client_robot") },
		"revoked": func(f *fixture) error { return f.RevokeClient(f.Context(), "client_robot") },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			f.confidential("client_robot")
			f.clock.Advance(time.Hour)
			anns, own := f.loginWith("client_robot"), f.issueToClient("client_robot")
			f.clock.Advance(-time.Hour)
			f.do(end(f))
			if name == "revoked" {
				f.clock.Advance(5 * time.Second)
				f.accept(f.issueToClient("client_robot").Access)
			}
			f.stayRefused(anns, own)
		})
	}
}

// TestOwnTokensAfterTheClockWasSetBack: the end of everything is that of what clients got for themselves, too, more of
// them than one transaction takes, and one among them that the configuration doesn't name any more. They get new ones.
func TestOwnTokensAfterTheClockWasSetBack(t *testing.T) {
	c := config()
	_, hash := issuer.NewClientSecret()
	c.Clients = append(c.Clients, issuer.Client{ID: "client_removed", SecretHash: hash, Scopes: []string{"pets:read"}})
	f := newFixture(t, c)
	f.confidential("client_robot")
	f.clock.Advance(time.Hour)
	removed, own := f.issueToClient("client_removed"), f.issueToClient("client_robot")
	f.clock.Advance(-time.Hour)
	f.config.Clients = f.config.Clients[:len(f.config.Clients)-1]
	f.restart()
	f.do(f.store.Update(t.Context(), func(tx issuer.Tx) (err error) {
		for n := range 500 {
			err = errors.Join(err, tx.InsertSubject(issuer.Subject{ID: fmt.Sprint("client_", n), Generation: 1, Created: f.clock.Now()}))
		}
		return err
	}))
	f.do(f.RevokeEverything(t.Context()))
	f.clock.Advance(5 * time.Second)
	f.accept(f.issueToClient("client_robot").Access)
	f.stayRefused(removed, own)
}

// TestExchangerGoneAfterTheClockWasSetBack: what a client got in exchange for others doesn't become good again, either,
// also where the session was used no more meanwhile. The session goes on.
func TestExchangerGoneAfterTheClockWasSetBack(t *testing.T) {
	_, hash := issuer.NewClientSecret()
	gateway := issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, ExchangeFrom: []string{"petstore"}}
	for name, way := range map[string]struct{ come, leave func(f *fixture) error }{
		"deleted": {
			func(f *fixture) error { return f.CreateClient(f.Context(), gateway) },
			func(f *fixture) error { return f.DeleteClient(f.Context(), gateway.ID) },
		},
		"revoked when it was out of the configuration": {
			func(f *fixture) error {
				f.config.Clients = append(f.config.Clients, gateway)
				f.restart()
				return nil
			},
			func(f *fixture) error {
				f.config.Clients = f.config.Clients[:len(f.config.Clients)-1]
				f.restart()
				return f.RevokeClient(f.Context(), gateway.ID)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			f.do(way.come(f))
			f.clock.Advance(time.Hour)
			anns := f.login()
			f.clock.Advance(5 * time.Minute)
			exchanged, err := f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: gateway.ID, SubjectToken: anns.Access})
			f.do(err)
			f.clock.Advance(-65 * time.Minute)
			f.do(way.leave(f))
			f.accept(f.refresh(anns.Refresh).Access)
			f.stayRefused(exchanged)
		})
	}
}

// TestExchangerRevokedAfterTheClockWasSetBack: who is there still isn't kept from tokens until the clock is where it
// was.
func TestExchangerRevokedAfterTheClockWasSetBack(t *testing.T) {
	f := newFixture(t, config())
	_, hash := issuer.NewClientSecret()
	f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, ExchangeFrom: []string{"petstore"}}))
	f.clock.Advance(time.Hour)
	anns := f.login()
	f.clock.Advance(-time.Hour)
	f.do(f.RevokeClient(t.Context(), "client_gateway"))
	f.clock.Advance(5 * time.Second)
	exchanged, err := f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: f.refresh(anns.Refresh).Access})
	f.do(err)
	f.accept(exchanged.Access)
}

// TestRevokedAfterTheClockWasSetBack: what was issued by a clock that was ahead is of the past all the same.
func TestRevokedAfterTheClockWasSetBack(t *testing.T) {
	for name, revoke := range map[string]func(f *fixture) error{
		"everything": func(f *fixture) error { return f.RevokeEverything(f.Context()) },
		"client":     func(f *fixture) error { return f.RevokeClient(f.Context(), "client_web") },
	} {
		f := newFixture(t, config())
		used := f.login()
		f.clock.Advance(5 * time.Minute)
		begun, used, usedAgain := f.login(), f.refresh(used.Refresh), f.login()
		f.clock.Advance(-5 * time.Minute)
		f.refresh(usedAgain.Refresh)
		f.do(revoke(f))
		f.clock.Advance(5 * time.Minute)
		for _, tokens := range []issuer.Tokens{begun, used, usedAgain} {
			if _, err := f.Verifier().Verify(t.Context(), tokens.Access); !errors.Is(err, jot.ErrRevoked) {
				t.Errorf("%s: an access token: %v", name, err)
			}
			f.refuseRefresh(tokens.Refresh)
		}
		f.accept(f.login().Access)
	}
}

// TestRuleOfAToken: a rule about one token lives as long as the token may be accepted, and no longer.
func TestRuleOfAToken(t *testing.T) {
	f := newFixture(t, config())
	tokens := f.issue(issuer.Grant{Subject: "ann", Resource: "zoo"})
	expires := f.clock.Now().Add(time.Minute)
	f.clock.Advance(30 * time.Second)
	f.do(f.RevokeToken(t.Context(), tokens.Access, ""))
	rules, _, err := f.LogEntries(t.Context(), 0, 10)
	if err != nil || len(rules) != 1 || rules[0].Expires != expires.Add(15*time.Minute).Unix()+1 {
		t.Errorf("rules %+v, %v, want one until 15 min after %v", rules, err, expires)
	}
}

// brittle is a store whose commits can be made to look failed, or to be watched.
type brittle struct {
	issuer.Store
	lost      atomic.Bool            // the answers of commits are lost
	committed atomic.Pointer[func()] // called after each commit
}

func (s *brittle) Update(ctx context.Context, f func(issuer.Tx) error) error {
	err := s.Store.Update(ctx, f)
	if committed := s.committed.Load(); err == nil && committed != nil {
		(*committed)()
	}
	if err == nil && s.lost.Load() {
		return fmt.Errorf("%w: disk I/O error", issuer.ErrUnavailable)
	}
	return err
}

// newBrittleFixture opens an issuer over a brittle store, in a bubble whose upkeep is at rest.
func newBrittleFixture(t *testing.T) (*fixture, *brittle) {
	f := newBubbleFixture(t, config())
	f.do(f.Close())
	store := &brittle{Store: f.openStore()}
	i, err := issuer.New(t.Context(), store, f.config)
	f.do(err)
	f.Issuer = i
	synctest.Wait()
	return f, store
}

// TestLogoutWhoseAnswerWasLost: what is in the log is enforced, whatever the commit answered; at the latest when the
// logout is tried again.
func TestLogoutWhoseAnswerWasLost(t *testing.T) {
	for _, again := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f, store := newBrittleFixture(t)
			defer f.Close()
			tokens := f.login()
			changed := f.LogChanged()
			store.lost.Store(true)
			if err := f.EndSession(t.Context(), "ann", tokens.SessionID); !errors.Is(err, issuer.ErrUnavailable) {
				t.Fatalf("error %v, want ErrUnavailable", err)
			}
			store.lost.Store(false)
			if again {
				f.do(f.EndSession(t.Context(), "ann", tokens.SessionID))
			} else {
				time.Sleep(time.Second)
			}
			select {
			case <-changed:
			default:
				t.Error("who follows the log wasn't woken")
			}
			f.refuse(tokens.Access, jot.ErrRevoked)
			if head, err := f.LogHead(t.Context()); err != nil || head.Sequence != 1 {
				t.Errorf("the log has %d rules, want 1; %v", head.Sequence, err)
			}
		})
	}
}

// TestLogoutThatAnotherServerMade: a logout that is repeated here is enforced here when it returns.
func TestLogoutThatAnotherServerMade(t *testing.T) {
	f := newFixture(t, config())
	other, err := f.open(f.config)
	f.do(err)
	tokens := f.login()
	f.do(other.EndSession(t.Context(), "ann", tokens.SessionID))
	f.do(f.EndSession(t.Context(), "ann", tokens.SessionID))
	f.refuse(tokens.Access, jot.ErrRevoked)
}
