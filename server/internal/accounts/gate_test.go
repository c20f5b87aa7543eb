package accounts

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

func TestGateDefaults(t *testing.T) {
	g, err := newGate(0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if want := max(1, runtime.GOMAXPROCS(0)-1); cap(g.inside) != want {
		t.Errorf("lets %d through at once, want %d", cap(g.inside), want)
	}
	if cap(g.strangers) != defaultMaxWaiting || cap(g.known) != defaultMaxWaiting || g.wait != defaultMaxWait {
		t.Errorf("%d strangers and %d who are known wait for %v", cap(g.strangers), cap(g.known), g.wait)
	}
}

// TestGateBounds lets one through and one wait; the third is turned away at once and the
// waiting one after its time.
func TestGateBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := newGate(1, 1, 3*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.enter(t.Context(), stranger); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		waited := make(chan error)
		go func() { waited <- g.enter(t.Context(), stranger) }()
		synctest.Wait()
		if err := g.enter(t.Context(), stranger); err != issuer.ErrBusy || time.Since(start) != 0 {
			t.Errorf("third caller: %v after %v", err, time.Since(start))
		}
		if err := <-waited; err != issuer.ErrBusy || time.Since(start) != 3*time.Second {
			t.Errorf("second caller: %v after %v", err, time.Since(start))
		}
		g.leave()
		if err := g.enter(t.Context(), stranger); err != nil {
			t.Errorf("after all left: %v", err)
		}
		g.leave()
	})
}

// TestGateKnown: strangers who fill their places turn nobody away who is known, and neither do those who are known each
// other's.
func TestGateKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := newGate(1, 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.enter(t.Context(), stranger); err != nil {
			t.Fatal(err)
		}
		waited := make(chan caller, 2)
		for _, who := range []caller{stranger, known} {
			go func() {
				if err := g.enter(t.Context(), who); err != nil {
					t.Error(err)
				}
				waited <- who
				g.leave()
			}()
			synctest.Wait()
			if err := g.enter(t.Context(), who); err != issuer.ErrBusy {
				t.Errorf("with the places of %+v full: %v", who, err)
			}
		}
		g.leave()
		if first, second := <-waited, <-waited; first != stranger || second != known {
			t.Errorf("%+v came through before %+v", first, second)
		}
	})
}

// TestGateOrder lets waiting callers through in the order in which they came.
func TestGateOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := newGate(1, 8, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.enter(t.Context(), stranger); err != nil {
			t.Fatal(err)
		}
		order := make(chan int, 8)
		for i := range 8 {
			go func() {
				if err := g.enter(t.Context(), stranger); err != nil {
					t.Errorf("caller %d: %v", i, err)
					return
				}
				order <- i
				g.leave()
			}()
			synctest.Wait()
		}
		g.leave()
		for i := range 8 {
			if got := <-order; got != i {
				t.Errorf("caller %d came through in place %d", got, i)
			}
		}
	})
}

func TestGateHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := newGate(1, 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.enter(t.Context(), stranger); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		waited := make(chan error)
		go func() { waited <- g.enter(ctx, stranger) }()
		synctest.Wait()
		cancel()
		if err := <-waited; !errors.Is(err, context.Canceled) {
			t.Errorf("waiting caller: %v", err)
		}
		g.leave()
		if err := g.enter(ctx, stranger); !errors.Is(err, context.Canceled) {
			t.Errorf("caller that was gone already: %v", err)
		}
		if len(g.inside) != 0 || len(g.strangers)+len(g.known) != 0 {
			t.Errorf("%d inside and %d waiting after all left", len(g.inside), len(g.strangers)+len(g.known))
		}
	})
}

// TestHashingIsBounded drives real logins against the bound.
func TestHashingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := counted(t, newMemory(), Config{NoThrottling: true, MaxConcurrent: 2, MaxWaiting: 100, MaxWait: time.Hour})
		fast := a.derive
		entered := make(chan struct{}, 100)
		a.derive = func(p, s []byte, tm, m uint32, th uint8, n uint32) []byte {
			entered <- struct{}{}
			if len(entered) > 2 {
				t.Errorf("%d hashes at once", len(entered))
			}
			time.Sleep(time.Second)
			<-entered
			return fast(p, s, tm, m, th, n)
		}
		start := time.Now()
		done := make(chan error)
		for range 20 {
			go func() {
				_, err := a.LogIn(t.Context(), "nobody", password, issuer.Device{})
				done <- err
			}()
		}
		for range 20 {
			if err := <-done; err != issuer.ErrInvalidCredentials {
				t.Error(err)
			}
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("20 hashes of 1 s, 2 at once, took %v", took)
		}
		if inside, waiting, hashed := a.Hashing(); inside != 0 || waiting != 0 || hashed != 20 {
			t.Errorf("%d are being hashed, %d wait, %d were hashed, want 20", inside, waiting, hashed)
		}
	})
}

// TestGateShares: whoever fills the places that one network or one subject may have leaves the others theirs, and gets
// them back.
func TestGateShares(t *testing.T) {
	for _, c := range []struct {
		crowd, other caller
		share        int
	}{
		{caller{from: "192.0.2.1/32"}, caller{from: "192.0.2.2/32"}, 16},
		{caller{known: true, from: "mallory"}, caller{known: true, from: "ada"}, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			g, err := newGate(1, 32, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.enter(t.Context(), stranger); err != nil {
				t.Fatal(err)
			}
			results := make(chan error, 32)
			wait := func(who caller) {
				go func() {
					err := g.enter(t.Context(), who)
					if err == nil {
						g.leave()
					}
					results <- err
				}()
				synctest.Wait()
			}
			for range c.share {
				if g.full(c.crowd) {
					t.Fatal("full too early")
				}
				wait(c.crowd)
			}
			if err := g.enter(t.Context(), c.crowd); err != issuer.ErrBusy || !g.full(c.crowd) {
				t.Errorf("%+v: one more: %v", c.crowd, err)
			}
			if g.full(c.other) {
				t.Errorf("%+v finds no place", c.other)
			}
			wait(c.other)
			g.leave()
			for range c.share + 1 {
				if err := <-results; err != nil {
					t.Error(err)
				}
			}
			if len(g.held) != 0 {
				t.Errorf("after all left, places are held: %v", g.held)
			}
		})
	}
}

// TestGateShareAfterOneLeft: of a crowd that has all its places, as many come after as have gone, and no more.
func TestGateShareAfterOneLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := newGate(1, 4, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.enter(t.Context(), stranger); err != nil {
			t.Fatal(err)
		}
		crowd := caller{from: "192.0.2.1/32"}
		ctx, giveUp := context.WithCancel(t.Context())
		for _, c := range []context.Context{t.Context(), ctx} {
			go g.enter(c, crowd)
			synctest.Wait()
		}
		giveUp()
		synctest.Wait()
		go g.enter(t.Context(), crowd)
		synctest.Wait()
		if err := g.enter(t.Context(), crowd); err != issuer.ErrBusy || len(g.strangers) != 2 {
			t.Errorf("one more of the crowd: %v, with %d waiting", err, len(g.strangers))
		}
	})
}

// TestWhoTakesAPlace: at each door that leads to a hash the places are taken as those of the network where a stranger
// comes from, and as the subject's of whoever is known, so that nobody alone takes them all.
func TestWhoTakesAPlace(t *testing.T) {
	type hall struct {
		*Accounts
		subjects, tokens map[string]string
	}
	from := map[string]string{"ada": "192.0.2.1", "bob": "198.51.100.1"}
	for name, try := range map[string]func(ctx context.Context, h *hall, who string) error{
		"log in, as a stranger": func(ctx context.Context, h *hall, who string) error {
			_, err := h.LogIn(ctx, who, password, issuer.Device{Address: from[who]})
			return err
		},
		"sign up": func(ctx context.Context, h *hall, who string) error {
			_, err := h.SignUp(ctx, issuer.Enrolment{Name: "new-" + who, Password: password}, issuer.Device{Address: from[who]})
			return err
		},
		"log in, known": func(ctx context.Context, h *hall, who string) error {
			_, err := h.LogIn(ctx, who, password, issuer.Device{Token: h.tokens[who]})
			return err
		},
		"new password": func(ctx context.Context, h *hall, who string) error {
			_, err := h.ChangePassword(ctx, h.subjects[who], password, fresh, false, issuer.Device{})
			return err
		},
		"password once more": func(ctx context.Context, h *hall, who string) error {
			_, _, err := h.EnrolTOTP(ctx, h.subjects[who], password, issuer.Device{})
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, _ := counted(t, newMemory(), Config{NoThrottling: true, MaxConcurrent: 1, MaxWaiting: 3, MaxWait: time.Minute})
			h := &hall{a, make(map[string]string), make(map[string]string)}
			for who := range from {
				subject, err := a.Add(t.Context(), who, password)
				if err != nil {
					t.Fatal(err)
				}
				h.subjects[who], h.tokens[who] = subject, a.renewDeviceToken("", subject)
			}
			if err := a.gate.enter(t.Context(), stranger); err != nil {
				t.Fatal(err)
			}
			let := make(chan error, 2)
			for _, who := range []string{"ada", "bob"} {
				go func() { let <- try(t.Context(), h, who) }()
				synctest.Wait()
				if err := try(t.Context(), h, who); err != issuer.ErrBusy {
					t.Errorf("%s: %s once more: %v", name, who, err)
				}
			}
			if _, waiting, _ := a.Hashing(); waiting != 2 {
				t.Errorf("%s: %d wait, want 2", name, waiting)
			}
			a.gate.leave()
			for range 2 {
				if err := <-let; err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestBusy turns callers away once everybody that may wait does.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := counted(t, newMemory(), Config{MaxConcurrent: 1, MaxWaiting: 1, MaxWait: time.Second})
		if err := a.gate.enter(t.Context(), stranger); err != nil {
			t.Fatal(err)
		}
		waited := make(chan error)
		go func() {
			_, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password}, issuer.Device{})
			waited <- err
		}()
		synctest.Wait()
		if _, err := a.LogIn(t.Context(), "ada", password, issuer.Device{}); err != issuer.ErrBusy {
			t.Errorf("LogIn: %v", err)
		}
		if err := <-waited; err != issuer.ErrBusy {
			t.Errorf("SignUp: %v", err)
		}
		a.gate.leave()
	})
}
