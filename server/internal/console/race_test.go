package console_test

import (
	"maps"
	"sync"
	"testing"

	"github.com/jot-auth/jot/server/internal/console"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// onBoth runs a test over each database.
func onBoth(t *testing.T, test func(*fixture)) {
	t.Run("SQLite", func(t *testing.T) { test(serve(t)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		store, err := sqlstore.OpenPostgres(t.Context(), pgtest.Database(t), sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		test(serveOver(t, store, console.Options{}))
	})
}

// together calls all at once and waits for them.
func together(calls ...func()) {
	var all sync.WaitGroup
	for _, call := range calls {
		all.Go(call)
	}
	all.Wait()
}

// TestCodeReplayInParallel: of many who present one code at once one gets tokens, and what it gets is worth nothing
// afterwards.
func TestCodeReplayInParallel(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b := f.browser()
		code := b.logIn(b.authorize()).code(f.T)
		var mu sync.Mutex
		var won []map[string]any
		present := func() {
			status, members := f.redeem(code)
			mu.Lock()
			defer mu.Unlock()
			if status == 200 {
				won = append(won, members)
			} else if status != 400 || members["error"] != "invalid_grant" {
				f.Errorf("%d %v", status, members)
			}
		}
		together(present, present, present, present, present, present, present, present)
		if len(won) != 1 {
			f.Fatalf("%d got tokens", len(won))
		}
		f.wantOver(won[0])
	})
}

// TestEndingWhileRedeeming: whatever ends a sign-in while its code is traded leaves no session behind, in whichever
// order the two come.
func TestEndingWhileRedeeming(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for n := range 12 {
			b := f.browser()
			code := b.logIn(b.authorize()).code(f.T)
			end := func() error {
				return f.issuer.LogOut(f.Context(), issuer.LogoutDecision{}, b.cookies["__Host-jot-signin"])
			}
			if n%3 == 1 {
				end = func() error { return f.issuer.EndSessions(f.Context(), f.ada) }
			}
			if n%3 == 2 {
				end = func() error { return f.issuer.OutdateSubject(f.Context(), f.ada, "", nil) }
			}
			var tokens map[string]any
			together(func() {
				if status, members := f.redeem(code); status == 200 {
					tokens = members
				} else if members["error"] != "invalid_grant" {
					f.Errorf("%d %v", status, members)
				}
			}, func() {
				if err := end(); err != nil {
					f.Error(err)
				}
			})
			if tokens != nil {
				f.wantOver(tokens)
			}
		}
	})
}

// TestLoginsInOneBrowser: of logins in one browser at once each is good, and the secret of before isn't.
func TestLoginsInOneBrowser(t *testing.T) {
	onBoth(t, func(f *fixture) {
		first, _, err := f.issuer.SignIn(f.Context(), issuer.Proof{Subject: f.ada}, "")
		if err != nil {
			f.Fatal(err)
		}
		secrets := make([]string, 4)
		var calls []func()
		for n := range secrets {
			calls = append(calls, func() {
				var err error
				if secrets[n], _, err = f.issuer.SignIn(f.Context(), issuer.Proof{Subject: f.ada, AMR: []string{"pwd"}}, first); err != nil {
					f.Error(err)
				}
			})
		}
		together(calls...)
		for _, secret := range append(secrets, first) {
			b := f.browser()
			b.cookies["__Host-jot-signin"] = secret
			if a := b.authorize("prompt", "none"); a.location.Query().Has("code") == (secret == first) {
				f.Errorf("the first one: %v, answered %v", secret == first, a.location)
			}
		}
	})
}

// TestConsentTwice at once is remembered once, with all that both allowed.
func TestConsentTwice(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b := f.browser()
		ask := func(scope string) answer { return b.authorize("client_id", other, "scope", scope) }
		read := b.logIn(ask("pets:read"))
		write := ask("pets:write")
		one, two := *b, *b // browsers of one profile: two tabs
		one.cookies, two.cookies = maps.Clone(b.cookies), maps.Clone(b.cookies)
		together(func() { one.submit(read, "/consent", "decision", "allow") }, func() { two.submit(write, "/consent", "decision", "allow") })
		b.authorize("client_id", other, "scope", "pets:read pets:write", "prompt", "none").code(f.T)
	})
}
