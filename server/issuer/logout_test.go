package issuer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// mortal is a Store that fails whoever has done so many updates as their context says.
type mortal struct{ issuer.Store }

type updatesLeft struct{}

func (m mortal) Update(ctx context.Context, f func(issuer.Tx) error) error {
	if left, ok := ctx.Value(updatesLeft{}).(*int); ok {
		if *left--; *left < 0 {
			return issuer.ErrUnavailable
		}
	}
	return m.Store.Update(ctx, f)
}

// TestLogOutHalfway: a logout of many sessions that failed in between is over for the browser's sign-in, and is
// finished by whoever logs out again, or in.
func TestLogOutHalfway(t *testing.T) {
	for name, finish := range map[string]func(f *fixture, secret string) error{
		"logged out again": func(f *fixture, secret string) error {
			return f.LogOut(f.Context(), issuer.LogoutDecision{}, secret)
		},
		"logged in again": func(f *fixture, secret string) error {
			_, _, err := f.SignIn(f.Context(), issuer.Proof{Subject: "ann"}, secret)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			secret, _, err := f.SignIn(t.Context(), issuer.Proof{Subject: "ann"}, "")
			f.do(err)
			f.insertSessionsOf(secret, 120, nil, "petstore")
			i, err := issuer.New(t.Context(), mortal{f.store}, f.config)
			f.do(err)
			defer i.Close()
			left := 1
			err = i.LogOut(context.WithValue(t.Context(), updatesLeft{}, &left), issuer.LogoutDecision{}, secret)
			if !errors.Is(err, issuer.ErrUnavailable) {
				t.Fatalf("the first logout: %v", err)
			}
			if live := f.live(); live == 0 || live == 120 {
				t.Fatalf("%d sessions live after a logout that failed in between", live)
			}
			if _, err := f.SignedIn(t.Context(), secret); !errors.Is(err, issuer.ErrNotFound) {
				t.Errorf("the browser is signed in still: %v", err)
			}
			f.do(finish(f, secret))
			if live := f.live(); live != 0 {
				t.Errorf("%d sessions live on", live)
			}
			f.do(f.LogOut(t.Context(), issuer.LogoutDecision{}, secret))
		})
	}
}

// insertSessionsOf stores live sessions of ann's that came of a sign-in, for one resource after the other.
func (f *fixture) insertSessionsOf(secret string, count int, scope []string, resources ...string) {
	f.Helper()
	signIn, err := f.SignedIn(f.Context(), secret)
	f.do(err)
	f.do(f.store.Update(f.Context(), func(tx issuer.Tx) error {
		now := f.clock.Now()
		for n := range count {
			err := tx.InsertSession(issuer.Session{
				ID: fmt.Sprintf("s%025d", n), Subject: "ann", Generation: 1, ClientID: "client_web",
				Resource: resources[n%len(resources)], Scope: scope, AuthTime: now, Created: now,
				LastUsed: now, IdleExpires: now.Add(time.Hour), Expires: now.Add(time.Hour), Counters: issuer.Counters{Current: 1}, SignIn: signIn.ID,
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// authorized is a browser's sign-in of ann's and the tokens that client_app gets by it.
func (f *fixture) authorized(callback string, scope ...string) (signIn string, tokens issuer.Tokens) {
	f.Helper()
	signIn, _, err := f.SignIn(f.Context(), issuer.Proof{Subject: "ann"}, "")
	f.do(err)
	d, err := f.Authorize(f.Context(), issuer.Authorization{ // with the challenge of RFC 7636 appendix B
		ClientID: "client_app", RedirectURI: callback, ResponseType: "code", Scope: scope, Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", ChallengeMethod: "S256",
	}, signIn, issuer.Shown{})
	f.do(err)
	tokens, err = f.RedeemCode(f.Context(), issuer.CodeGrant{
		Code: d.Code, Client: issuer.ClientProof{ID: "client_app"}, RedirectURI: callback, Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
	})
	f.do(err)
	return signIn, tokens
}

// TestLogOutEndsWhatIsCalledOffline: a resource's own scope of that name lets no session outlive the logout.
func TestLogOutEndsWhatIsCalledOffline(t *testing.T) {
	const callback = "https://app.example.com/callback"
	for name, want := range map[string]bool{"petstore": true, "archive": false} {
		t.Run(name, func(t *testing.T) {
			c := config()
			c.Resources = []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}, {Audience: "archive", Scopes: []string{"offline_access"}}}
			c.Clients = []issuer.Client{{ID: "client_app", Scopes: []string{"offline_access"}, Resources: []string{name}, FirstParty: true, RedirectURIs: []string{callback}}}
			f := newFixture(t, c)
			f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: []string{"offline_access"}}))
			signIn, tokens := f.authorized(callback, "openid", "offline_access")
			f.do(f.LogOut(t.Context(), issuer.LogoutDecision{}, signIn))
			session, err := f.Session(t.Context(), tokens.SessionID)
			if f.do(err); session.Ended.IsZero() != want || len(tokens.Scope) != 2 {
				t.Errorf("a session of %q at %s: %+v", tokens.Scope, name, session)
			}
		})
	}
}

// TestLogOutOfManyOffline: of one sign-in's sessions those outlive it that may, each by what its own resource says.
func TestLogOutOfManyOffline(t *testing.T) {
	f := newFixture(t, config())
	f.do(f.CreateResource(t.Context(), issuer.Resource{Audience: "archive", Scopes: []string{"offline_access"}}))
	secret, _, err := f.SignIn(t.Context(), issuer.Proof{Subject: "ann"}, "")
	f.do(err)
	f.insertSessionsOf(secret, 9, []string{"offline_access"}, "petstore", "archive", "gone")
	f.do(f.LogOut(t.Context(), issuer.LogoutDecision{}, secret))
	live, _, err := f.SessionsOf(t.Context(), "ann", "", 100)
	f.do(err)
	for _, session := range live {
		if session.Resource != "petstore" {
			t.Errorf("a session at %s outlives the logout", session.Resource)
		}
	}
	if len(live) != 3 {
		t.Errorf("%d sessions are left, want 3", len(live))
	}
}

// TestLogoutHint: an ID token names the client and the session of a logout, an access token neither; and who names
// another client beside it is refused.
func TestLogoutHint(t *testing.T) {
	c := config()
	c.Clients = []issuer.Client{
		{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{callback}, AccessType: "JWT"},
		{ID: "client_web"},
	}
	f := newFixture(t, c)
	signIn, tokens := f.authorized(callback, "openid", "pets:read")
	if _, err := f.CheckLogout(t.Context(), issuer.Logout{Hint: tokens.ID, ClientID: "client_web"}, signIn); !errors.Is(err, issuer.ErrLogoutRequest) {
		t.Errorf("another client beside the hint: error %v, want ErrLogoutRequest", err)
	}
	for _, client := range []string{"", "client_app"} {
		d, err := f.CheckLogout(t.Context(), issuer.Logout{Hint: tokens.Access, ClientID: client}, signIn)
		if err != nil || !d.Ask || d.Client.ID != client {
			t.Errorf("an access token for a hint, beside %q: %+v, %v", client, d, err)
		}
	}
	d, err := f.CheckLogout(t.Context(), issuer.Logout{Hint: tokens.ID}, "") // in another browser
	if err != nil || d.Ask || d.Client.ID != "client_app" {
		t.Fatalf("%+v, %v", d, err)
	}
	for range 2 {
		f.do(f.LogOut(t.Context(), d, ""))
	}
	session, err := f.Session(t.Context(), tokens.SessionID)
	if err != nil || session.EndReason != issuer.EndedByLogout {
		t.Errorf("session %+v, %v", session, err)
	}
}

// TestLogoutOfNoPerson: a client is told of the end of sessions that gave it an ID token, and of no others.
func TestLogoutOfNoPerson(t *testing.T) {
	c := config()
	c.Clients = []issuer.Client{{
		ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{callback}, BackchannelLogoutURI: "https://app.example.com/logout",
	}}
	f := newFixture(t, c)
	_, without := f.authorized(callback, "pets:read")
	_, with := f.authorized(callback, "openid", "pets:read")
	f.do(f.EndSession(t.Context(), "ann", without.SessionID))
	f.do(f.EndSession(t.Context(), "ann", with.SessionID))
	found, err := f.ClaimDeliveries(t.Context(), 10, nil)
	if err != nil || len(found) != 1 || found[0].Notice.Session != with.SessionID {
		t.Errorf("%+v, %v", found, err)
	}
}
