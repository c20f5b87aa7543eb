package feed

import (
	"testing"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// setFull fills the disk of the database, or makes room on it.
func (h *house) setFull(full bool) {
	h.fakeVerifiers.mu.Lock()
	defer h.fakeVerifiers.mu.Unlock()
	h.full = full
}

// rows are how many verifiers stand in the database, and how many of them are doubted.
func (h *house) rows() (all, doubted int) {
	h.fakeVerifiers.mu.Lock()
	defer h.fakeVerifiers.mu.Unlock()
	for _, v := range h.all {
		if v.Registered.IsZero() {
			doubted++
		}
	}
	return len(h.all), doubted
}

// nextStream waits for the beginning of one, which the reader ends four minutes later at the earliest.
func (h *house) nextStream() {
	for before := h.count("live"); h.count("live") == before; {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(time.Second) // until it has been registered, or could not be
}

// onFullDisk runs a test with two servers and a fresh verifier of the first, once the disk that they share is full.
func onFullDisk(t *testing.T, test func(t *testing.T, h, other *house, f follower)) {
	open(t, Config{}, func(t *testing.T, h *house) {
		other := h.second()
		defer other.end()
		f := h.follower(10 * time.Second)
		defer f.Close()
		h.fresh(f)
		h.setFull(true)
		test(t, h, other, f)
	})
}

// While the disk is full that two servers share, the verifiers of before keep their leases, and are waited for; and
// when there is room again, of which another server may hear first.
func TestVerifiersOnAFullDisk(t *testing.T) {
	onFullDisk(t, func(t *testing.T, h, other *house, f follower) {
		check := func(d time.Duration) {
			t.Helper()
			for began := time.Now(); time.Since(began) < d; time.Sleep(time.Second) {
				if all, _ := h.rows(); all != 1 || !f.accepts(t, 1) {
					t.Fatalf("%d verifiers in the database, %+v", all, f.State())
				}
			}
		}
		check(2 * orphanAge)
		h.nextStream()
		h.setFull(false)
		check(2 * orphanSearch)
		if _, doubted := h.rows(); doubted == 0 {
			t.Error("nobody doubts it: this tests nothing")
		}
		check(streamLife)
		if _, doubted := h.rows(); doubted > 0 {
			t.Error("it's doubted still")
		}
		check(orphanAge)
		f.way.cut.Store(true)
		if took := other.enforce(1); f.accepts(t, 1) || took < 5*time.Second {
			t.Errorf("accepted after the answer: %v, which took %v", f.accepts(t, 1), took)
		}
		f.way.cut.Store(false)
	})
}

// Where there was room only for as long as another server needed to doubt a verifier, that server deletes it in the
// end, full as the disk is: by then it accepts nothing any more.
func TestDoubtedVerifierOnAFullDisk(t *testing.T) {
	for _, lead := range []time.Duration{0, 170 * time.Second} { // by which a stream began before there was room
		onFullDisk(t, func(t *testing.T, h, other *house, f follower) {
			time.Sleep(orphanAge + 2*orphanSearch)
			h.nextStream()
			time.Sleep(lead)
			h.setFull(false)
			for _, doubted := h.rows(); doubted == 0; _, doubted = h.rows() {
				time.Sleep(10 * time.Millisecond)
			}
			h.setFull(true)
			if !f.accepts(t, 1) {
				t.Fatalf("it accepts nothing when the doubt comes: this tests nothing; %+v", f.State())
			}
			for all, _ := h.rows(); all > 0; all, _ = h.rows() {
				time.Sleep(10 * time.Millisecond)
			}
			if took := other.enforce(1); took > time.Second/2 || f.accepts(t, 1) {
				t.Errorf("lead %v: accepted after the answer: %v, which took %v", lead, f.accepts(t, 1), took)
			}
			if c := f.State().Connection; c == revocation.Streaming {
				t.Errorf("lead %v: it has a stream still", lead)
			}
			h.setFull(false)
			h.fresh(f)
		})
	}
}
