package accounts

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// retryAfter answers how long a throttled attempt has to wait; 0 when the error is another one.
func retryAfter(err error) time.Duration {
	var throttled *issuer.ThrottledError
	if errors.As(err, &throttled) {
		return throttled.RetryAfter
	}
	return 0
}

func TestScheduleGrows(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	var h Throttle
	var waits []string
	for range 17 {
		h = defaultPerAccount.count(h, now)
		wait := defaultPerAccount.wait(h, now)
		waits = append(waits, wait.String())
		now = now.Add(wait)
	}
	if got, want := strings.Join(waits, " "), "0s 0s 0s 0s 1s 2s 4s 8s 16s 32s 1m4s 2m8s 4m16s 8m32s 8m32s 15m0s 15m0s"; got != want {
		t.Errorf("waits %s, want %s", got, want)
	}
	past := now.Add(-24 * time.Hour)
	h = defaultPerAccount.count(h, past)
	if wait, level := defaultPerAccount.wait(h, past), defaultPerAccount.level(h, past); wait > 15*time.Minute || level > defaultPerAccount.most() {
		t.Errorf("after the clock went back a day, attempts wait until %v, and %d are counted", h.Next, level)
	}
}

// TestScheduleOlderClock: of two right passwords at once, the one whose transaction read the clock first and came
// second isn't refused.
func TestScheduleOlderClock(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	earlier := now.Add(-time.Millisecond)
	counted := defaultPerAddress.count(Throttle{}, now)
	if wait := defaultPerAddress.wait(counted, earlier); wait > 0 {
		t.Errorf("an attempt without a delay holds others up for %v", wait)
	}
	if wait := defaultPerAddress.wait(defaultPerAddress.giveBack(counted, counted), earlier); wait > 0 {
		t.Errorf("one that was given back holds others up for %v", wait)
	}
}

// TestScheduleKeepsOthersDelay: an attempt that is given back takes no delay with it that others have brought since.
func TestScheduleKeepsOthersDelay(t *testing.T) {
	s, now := Schedule{Free: 1, Delay: time.Minute, MaxDelay: time.Hour, Forgive: 2 * time.Hour}, time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	right := s.count(Throttle{}, now)
	wrong := s.count(right, now.Add(time.Minute))
	if wait := s.wait(s.giveBack(wrong, right), now.Add(time.Minute)); wait != 2*time.Minute {
		t.Errorf("a right password shortens the delay of the wrong one after it to %v", wait)
	}
}

// TestScheduleForgives: after a quiet time as long as the attempts are worth, all of them are free again, and no
// earlier.
func TestScheduleForgives(t *testing.T) {
	s, now := defaultPerAccount, time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	var h Throttle
	for range s.Free {
		h = s.count(h, now)
	}
	if h.empty(now.Add(time.Duration(s.Free)*s.Forgive - 1)) {
		t.Error("forgotten too early")
	}
	now = now.Add(time.Duration(s.Free) * s.Forgive)
	if !h.empty(now) || s.level(h, now) != 0 {
		t.Errorf("%d attempts are left at %v of %+v", s.level(h, now), now, h)
	}
}

// TestScheduleBoundsTheCleverest: whoever waits exactly as long as it must, or until everything is forgiven, makes no
// more attempts in thirty days than the free ones, those whose delays grow, and one every 15 minutes.
func TestScheduleBoundsTheCleverest(t *testing.T) {
	const days = 30
	s := defaultPerAccount
	start := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	bound := s.most() + int(days*24*time.Hour/s.Forgive)
	for _, patience := range []time.Duration{0, time.Second, time.Minute, s.Forgive, time.Hour, 5 * time.Hour} {
		now, h, attempts := start, Throttle{}, 0
		for now.Before(start.Add(days * 24 * time.Hour)) {
			for s.wait(h, now) == 0 {
				h = s.count(h, now)
				attempts++
			}
			now = now.Add(max(s.wait(h, now), patience))
		}
		if attempts > bound {
			t.Errorf("with a patience of %v, %d attempts, want at most %d", patience, attempts, bound)
		}
	}
}

func TestScheduleRefuses(t *testing.T) {
	for name, s := range map[string]Schedule{
		"negative free":        {Free: -1},
		"negative delay":       {Delay: -1},
		"negative maximum":     {MaxDelay: -1},
		"negative forgiveness": {Forgive: -1},
		"delay above maximum":  {Delay: time.Hour},
		"forgets too early":    {Free: 60, MaxDelay: time.Hour, Forgive: time.Minute},
		"too fine":             {Delay: time.Microsecond},
		"forgives too fine":    {Free: 5000, Delay: time.Millisecond, MaxDelay: time.Millisecond, Forgive: time.Microsecond},
	} {
		for _, c := range []Config{{PerAccount: s}, {PerAddress: s}, {PerNetwork: s}} {
			if _, err := New(newMemory(), testIssuer{}, c); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
	}
	finest := Schedule{Free: 2, Delay: time.Millisecond, MaxDelay: time.Millisecond, Forgive: time.Millisecond}
	if _, err := New(newMemory(), testIssuer{}, Config{PerAccount: finest}); err != nil {
		t.Error(err)
	}
}

// guess makes one login with a wrong password.
func guess(t *testing.T, a *Accounts, name string, from issuer.Device) error {
	t.Helper()
	proof, err := a.LogIn(t.Context(), name, "wrong horse battery", from)
	if proof.Subject != "" || err == nil {
		t.Errorf("a wrong password logs in as %q", proof.Subject)
	}
	return err
}

// TestThrottleByAccount: known and unknown names are throttled alike, wherever the guesses come from, without a hash;
// the right password has to wait as well; and success gives back only its own attempt.
func TestThrottleByAccount(t *testing.T) {
	store := newMemory()
	a, calls := counted(t, store, Config{})
	if _, err := a.Add(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "nobody", "no\x00body", "no\x00body else"} {
		before := calls.Load()
		for n := range 5 {
			if err := guess(t, a, name, issuer.Device{Address: fmt.Sprintf("192.0.%d.1", n)}); err != issuer.ErrInvalidCredentials {
				t.Fatalf("%q, guess %d: %v", name, n, err)
			}
		}
		for n := range 3 {
			_, err := a.LogIn(t.Context(), strings.ToUpper(name), password, issuer.Device{Address: fmt.Sprintf("198.51.%d.1", n)})
			if retryAfter(err) != time.Second {
				t.Fatalf("%q, after five guesses: %v", name, err)
			}
		}
		if n := calls.Load() - before; n != 5 {
			t.Errorf("%q: %d hashes, want 5", name, n)
		}
	}
	store.advance(time.Second)
	for range 3 { // one after the other, they are never delayed
		proof, err := a.LogIn(t.Context(), "ada", password, issuer.Device{})
		if err != nil || store.confirm(proof) != nil {
			t.Fatal(err)
		}
	}
	if err := guess(t, a, "ada", issuer.Device{}); err != issuer.ErrInvalidCredentials {
		t.Error(err)
	}
	if err := guess(t, a, "ada", issuer.Device{}); retryAfter(err) != 2*time.Second {
		t.Errorf("after a sixth wrong guess: %v", err)
	}
}

// TestThrottleByAddress: whoever tries many names is delayed by address, and then by network; an IPv6 /64 is one
// address.
func TestThrottleByAddress(t *testing.T) {
	few := Schedule{Free: 3, MaxDelay: time.Second, Forgive: time.Second}
	more := Schedule{Free: 6, MaxDelay: time.Second, Forgive: time.Second}
	for name, c := range map[string]struct{ address, neighbour, network, stranger string }{
		"IPv4":           {"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.%d", "192.0.3.1"},
		"IPv6":           {"2001:db8::1", "2001:db8::ffff:1%eth0", "2001:db8:0:%d::1", "2001:db8:1::1"},
		"no IP address":  {"@", "@", "%d", "x"},
		"nothing at all": {"", "", "%d", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := counted(t, newMemory(), Config{PerAddress: few, PerNetwork: more})
			names := 0
			attempt := func(address string) error {
				names++
				return guess(t, a, fmt.Sprintf("name%d", names), issuer.Device{Address: address})
			}
			for range few.Free {
				if err := attempt(c.address); err != issuer.ErrInvalidCredentials {
					t.Fatal(err)
				}
			}
			if err := attempt(c.neighbour); retryAfter(err) != time.Second {
				t.Errorf("the same address again: %v", err)
			}
			if err := attempt(c.stranger); err != issuer.ErrInvalidCredentials {
				t.Errorf("another network: %v", err)
			}
			if !strings.Contains(name, "IPv") {
				for n := range more.Free {
					if err := attempt(fmt.Sprintf(c.network, n)); err != issuer.ErrInvalidCredentials {
						t.Fatalf("one of those without an address: %v", err)
					}
				}
				return
			}
			for n := range more.Free - few.Free {
				if err := attempt(fmt.Sprintf(c.network, 10+n)); err != issuer.ErrInvalidCredentials {
					t.Fatalf("another address of the network: %v", err)
				}
			}
			if err := attempt(fmt.Sprintf(c.network, 99)); retryAfter(err) != time.Second {
				t.Errorf("the network's seventh attempt: %v", err)
			}
		})
	}
}

// TestParallelGuesses: a hundred at once cost no more hashes than the schedule allows, and the rest aren't held.
func TestParallelGuesses(t *testing.T) {
	a, calls := counted(t, newMemory(), Config{MaxWaiting: 200})
	var wait sync.WaitGroup
	var mu sync.Mutex
	answers := map[time.Duration]int{}
	for n := range 100 {
		wait.Go(func() {
			err := guess(t, a, "ada", issuer.Device{Address: fmt.Sprintf("192.0.%d.1", n)})
			mu.Lock()
			defer mu.Unlock()
			answers[retryAfter(err)]++
		})
	}
	wait.Wait()
	if calls.Load() != 5 || answers[0] != 5 || answers[time.Second] != 95 {
		t.Errorf("%d hashes, and answers by delay %v; want 5 hashes, 95 delayed by 1 s", calls.Load(), answers)
	}
}

// TestThrottleIsBounded: guesses under ever new names and from ever new networks leave no more rows than there are
// slots, and those that have run out are removed by the attempts that follow.
func TestThrottleIsBounded(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{})
	for n := range 300 {
		guess(t, a, fmt.Sprintf("name%d", n), issuer.Device{Address: fmt.Sprintf("10.%d.1.1", n%256)})
	}
	for slot := range store.throttles {
		if k := kind(slot >> slotBits); k < byAccount || k > byChange || slot&(1<<slotBits-1) != slot-int64(k)<<slotBits {
			t.Errorf("slot %d is outside of the table", slot)
		}
	}
	before := len(store.throttles)
	store.advance(24 * time.Hour)
	for range 4 * sweepEvery {
		guess(t, a, "ada", issuer.Device{})
		store.advance(time.Hour)
	}
	if after := len(store.throttles); before < 600 || after > 10 {
		t.Errorf("%d throttles under attack, %d after it", before, after)
	}
}

// TestSlotsOfSeveralTexts: what is counted for one pair of texts isn't counted for another one that reads the same.
func TestSlotsOfSeveralTexts(t *testing.T) {
	a, _ := counted(t, newMemory(), Config{})
	if a.slot(byNotice, "ab", "c") == a.slot(byNotice, "a", "bc") {
		t.Error("one slot for ab, c and a, bc")
	}
}

// TestBusyIsNoGuess: an attempt that the gate turned away isn't counted.
func TestBusyIsNoGuess(t *testing.T) {
	store := newMemory()
	a, calls := counted(t, store, Config{MaxConcurrent: 1, MaxWaiting: 1, MaxWait: time.Millisecond})
	subject, err := a.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	before := calls.Load()
	if err := a.gate.enter(t.Context(), stranger); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		if err := guess(t, a, "ada", issuer.Device{Address: "192.0.2.1"}); err != issuer.ErrBusy {
			t.Fatal(err)
		}
	}
	_, signUp := a.SignUp(t.Context(), issuer.Enrolment{Name: "bob", Password: password}, issuer.Device{})
	_, change := a.ChangePassword(t.Context(), subject, password, fresh, false, issuer.Device{})
	_, _, enrol := a.EnrolTOTP(t.Context(), subject, password, issuer.Device{})
	for _, err := range []error{signUp, change, enrol} {
		if !errors.Is(err, issuer.ErrBusy) {
			t.Errorf("%v, want issuer.ErrBusy", err)
		}
	}
	a.gate.leave()
	if len(store.throttles) != 0 || calls.Load() != before {
		t.Errorf("%d hashes were computed and %v counted", calls.Load()-before, store.throttles)
	}
}

// TestBusyForgivesNothing: a guess of a known device that the gate turned away leaves those before it counted.
func TestBusyForgivesNothing(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{MaxConcurrent: 1, MaxWaiting: 1, MaxWait: time.Millisecond, PerAccount: Schedule{Free: 3}})
	if _, err := a.Add(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	device := issuer.Device{Token: logIn(t, a, store, "ada", issuer.Device{})}
	for range 2 {
		guess(t, a, "ada", device)
	}
	if err := a.gate.enter(t.Context(), stranger); err != nil {
		t.Fatal(err)
	}
	if err := guess(t, a, "ada", device); err != issuer.ErrBusy {
		t.Fatal(err)
	}
	a.gate.leave()
	if err := guess(t, a, "ada", device); err != issuer.ErrInvalidCredentials {
		t.Fatal(err)
	}
	if err := guess(t, a, "ada", device); retryAfter(err) == 0 {
		t.Errorf("after three guesses and one that was turned away: %v", err)
	}
}

// TestNoThrottling: a server behind one that throttles counts nothing.
func TestNoThrottling(t *testing.T) {
	h := newPasskeyHall(t, Config{NoThrottling: true, Post: new(pile)})
	subject := h.store.accounts["ada"].Subject
	phone := h.addPasskey("ada")
	h.device.Flags = 0
	for name, try := range map[string]func() error{
		"log in":  func() error { return guess(t, h.Accounts, "ada", issuer.Device{}) },
		"passkey": func() error { _, err := h.enter(phone, issuer.Device{}); return err },
		"both": func() error {
			phone.Handle = userHandle("nobody")
			_, err := h.complete("ada", phone, issuer.Device{})
			return err
		},
		"code": func() error { _, err := h.ConfirmTOTP(t.Context(), subject, "", issuer.Device{}); return err },
		"change": func() error {
			return h.ChangeEmail(t.Context(), subject, "wrong "+password, "ada@example.com", issuer.Device{})
		},
		"reset": func() error { return h.RequestReset(t.Context(), "ada@example.com", issuer.Device{}) },
		"user code": func() error {
			return h.GuessUserCode(t.Context(), subject, issuer.Device{}, func() error { return issuer.ErrUserCode })
		},
		"device": func() error { return h.AdmitDevice(t.Context(), "192.0.2.1") },
		"sign up": func() error {
			_, err := h.SignUp(t.Context(), issuer.Enrolment{Name: "ada", Password: password, Email: "ada@example.com"}, issuer.Device{})
			return err
		},
	} {
		for range 2 {
			if err := try(); retryAfter(err) != 0 || len(h.store.throttles) != 0 {
				t.Errorf("%s: %v, with %d throttles", name, err, len(h.store.throttles))
			}
		}
	}
}
