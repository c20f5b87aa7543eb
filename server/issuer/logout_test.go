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

// TestLogOutHalfway: a logout of many sessions that failed in between is over for the browser's sign-in, and is finished by whoever logs out again, or in.
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
			f.insertSessionsOf(secret, 120)
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

// insertSessionsOf stores live sessions of ann's that came of a sign-in.
func (f *fixture) insertSessionsOf(secret string, count int) {
	f.Helper()
	signIn, err := f.SignedIn(f.Context(), secret)
	f.do(err)
	f.do(f.store.Update(f.Context(), func(tx issuer.Tx) error {
		now := f.clock.Now()
		for n := range count {
			err := tx.InsertSession(issuer.Session{
				ID: fmt.Sprintf("s%025d", n), Subject: "ann", Generation: 1, ClientID: "client_web", Resource: "petstore", AuthTime: now, Created: now,
				LastUsed: now, IdleExpires: now.Add(time.Hour), Expires: now.Add(time.Hour), Counters: issuer.Counters{Current: 1}, SignIn: signIn.ID,
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
}
