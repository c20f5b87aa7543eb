package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// partition is a way to the feed that can be cut: what is sent then is lost, and neither side notices.
type partition struct {
	network network
	cut     atomic.Bool
}

func (p *partition) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if p.cut.Load() {
		return nil, errors.New("no way")
	}
	c, err := p.network.DialContext(ctx, network, address)
	return &lossy{c, p}, err
}

type lossy struct {
	net.Conn
	*partition
}

func (l *lossy) Read(b []byte) (int, error) {
	for {
		n, err := l.Conn.Read(b)
		if err != nil || !l.cut.Load() {
			return n, err
		}
	}
}

func (l *lossy) Write(b []byte) (int, error) {
	if l.cut.Load() {
		return len(b), nil
	}
	return l.Conn.Write(b)
}

// follower is a verifier's reader with a way of its own.
type follower struct {
	*revocation.Reader
	way *partition
}

func (h *house) follower(maxStaleness time.Duration) follower {
	h.t.Helper()
	way := &partition{network: h.network}
	r, err := revocation.NewReader(revocation.ReaderOptions{
		URL: "http://127.0.0.1/base/feed", Issuer: h.URL(), Keys: h.keys, Credential: credential, VerifierID: "petstore",
		MaxStaleness: maxStaleness, Client: &http.Client{Transport: &http.Transport{DialContext: way.DialContext}},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return follower{r, way}
}

func (h *house) fresh(all ...follower) {
	h.t.Helper()
	for _, f := range all {
		if err := f.WaitFresh(h.t.Context()); err != nil {
			h.t.Fatal(err)
		}
	}
}

// accepts reports whether a verifier under the policy Closed lets session n in.
func (f follower) accepts(t *testing.T, n int) bool {
	verdict, err := f.CheckRevocation(t.Context(), facts(n))
	return err == nil && verdict == jot.Current
}

// enforce revokes session n, waits, and returns how long that took.
func (h *house) enforce(n int) time.Duration {
	h.t.Helper()
	began := time.Now()
	err := h.feed.Enforce(h.t.Context(), false, func() (revocation.Cursor, bool) {
		h.revoke(n, n+1)
		h.fakeIssuer.mu.Lock()
		defer h.fakeIssuer.mu.Unlock()
		return h.head().Cursor(), true
	})
	if err != nil {
		h.t.Errorf("session %d: %v", n, err)
	}
	return time.Since(began)
}

// After the answer no verifier accepts; and the answer comes as soon as it may.
func TestEnforce(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		if took := h.enforce(1); took > time.Second/2 {
			t.Errorf("without a verifier it took %v", took)
		}
		connected, cutOff, closed := h.follower(10*time.Second), h.follower(4*time.Second), h.follower(2*time.Second)
		defer connected.Close()
		defer cutOff.Close()
		h.fresh(connected, cutOff, closed)
		if took := h.enforce(2); took > time.Second/2 {
			t.Errorf("with verifiers that listen it took %v", took)
		}
		for _, f := range []follower{connected, cutOff, closed} {
			if f.accepts(t, 2) || !f.accepts(t, 3) {
				t.Errorf("it accepts what is refused, %v, or refuses another", f.accepts(t, 2))
			}
		}

		cutOff.way.cut.Store(true)
		if !cutOff.accepts(t, 3) {
			t.Error("cut off, it accepts nothing at once: this tests nothing")
		}
		if took := h.enforce(3); took < 3*time.Second || took > 7*time.Second {
			t.Errorf("with one that is cut off for 4 s it took %v", took)
		}
		if connected.accepts(t, 3) || cutOff.accepts(t, 3) || !connected.accepts(t, 4) {
			t.Error("it accepts what is refused, or refuses another")
		}

		closed.Close()
		cutOff.way.cut.Store(false)
		h.fresh(cutOff)
		if took := h.enforce(4); took > 5*time.Second {
			t.Errorf("after one has gone it took %v", took)
		}
		time.Sleep(5 * time.Second)
		if took := h.enforce(5); took > time.Second/2 {
			t.Errorf("with everybody back it took %v", took)
		}
	})
}

// A verifier that comes to one server while somebody waits at another either knows the rule or is waited for, whichever
// of the two is quicker at each step.
func TestEnforceWhileVerifiersCome(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		other := h.second()
		defer other.end()
		h.slow = 30 * time.Millisecond
		var coming sync.WaitGroup
		for n := range 100 {
			f := other.follower(2 * time.Second)
			coming.Go(func() {
				defer f.Close()
				time.Sleep(time.Duration(n) * time.Millisecond)
				f.way.cut.Store(n%2 == 0)
				h.enforce(n)
				for range 100 { // until long after its lease
					if f.accepts(t, n) {
						t.Errorf("round %d: accepted after the answer; %+v", n, f.State())
						return
					}
					time.Sleep(40 * time.Millisecond)
				}
			})
		}
		coming.Wait()
	})
}

// Who comes back over another stream, after minutes, is the same verifier, and is waited for no longer than others.
func TestReconnectedVerifier(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		f := h.follower(10 * time.Second)
		defer f.Close()
		h.fresh(f)
		for n := range 20 {
			time.Sleep(31 * time.Second)
			if took := h.enforce(n); took > time.Second/2 || f.accepts(t, n) {
				t.Errorf("round %d took %v", n, took)
			}
		}
		if streams := h.count("live"); streams < 2 {
			t.Errorf("%d streams: this tests nothing", streams)
		}
		h.fakeVerifiers.mu.Lock()
		defer h.fakeVerifiers.mu.Unlock()
		if len(h.all) != 1 || h.writes > 5 {
			t.Errorf("%d verifiers, written %d times", len(h.all), h.writes)
		}
		for at := range h.all {
			if !strings.HasPrefix(at.verifier, "petstore.") {
				t.Errorf("it's called %s", at.verifier)
			}
		}
	})
}

// However many rules come while somebody waits, a verifier isn't asked for each.
func TestAcknowledgementsAreFew(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		f := h.follower(10 * time.Second)
		defer f.Close()
		h.fresh(f)
		for n := range 200 { // nobody waits
			h.revoke(n, n+1)
			time.Sleep(time.Millisecond)
		}
		if said := h.count("acknowledgement"); said != 0 {
			t.Errorf("%d acknowledgements that nobody waits for", said)
		}
		var waiting sync.WaitGroup
		for n := 200; n < 700; n++ {
			waiting.Go(func() { h.enforce(n) })
			time.Sleep(time.Millisecond)
		}
		waiting.Wait()
		if said := h.count("acknowledgement"); said == 0 || said > 50 {
			t.Errorf("%d acknowledgements for 500 who waited in half a second", said)
		}
	})
}

// A server that was killed answers for nobody, and its verifiers are waited for; in the end somebody else forgets them.
func TestVerifiersOfKilledServer(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.RegisterVerifiers(t.Context(), []issuer.Verifier{{ID: "orphan-of-some-server", Server: "killed", MaxStaleness: 3 * time.Second}})
		if took := h.enforce(1); took < 3*time.Second || took > 6*time.Second {
			t.Errorf("it took %v", took)
		}
		time.Sleep(2 * (orphanAge + 3*orphanSearch))
		if all, _ := h.Verifiers(t.Context()); len(all) != 0 {
			t.Errorf("left: %v", all)
		}
		if took := h.enforce(2); took > time.Second/2 {
			t.Errorf("it took %v", took)
		}
	})
}

// second is another server over the same database.
func (h *house) second() *house {
	other := &house{fakeIssuer: h.fakeIssuer, t: h.t, network: make(network), asked: map[string]int{}}
	other.client = &http.Client{Transport: &http.Transport{DialContext: other.network.DialContext}}
	other.start(Config{})
	return other
}

// Two servers over one database: what is said to one counts at the other, and what is asked at one is asked by both.
func TestTwoServersEnforce(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		other := h.second()
		defer other.end()
		here, there := h.follower(10*time.Second), other.follower(10*time.Second)
		defer here.Close()
		defer there.Close()
		h.fresh(here, there)
		if took := h.enforce(1); took > 3*time.Second { // the fake database tells nobody: they look each second
			t.Errorf("it took %v", took)
		}
		if here.accepts(t, 1) || there.accepts(t, 1) {
			t.Error("accepted after the answer")
		}
	})
}

// Too many who wait, or register, are told so before anything happens; who gives up waits no longer; nobody waits on a
// database that is gone for ever.
func TestEnforceBounds(t *testing.T) {
	open(t, Config{MaxStaleness: 5 * time.Second}, func(t *testing.T, h *house) {
		greedy := h.follower(6 * time.Second)
		time.Sleep(time.Second)
		if err := greedy.State().LastError; err == nil || !strings.Contains(err.Error(), "more than the 5s that this server allows") {
			t.Errorf("a lease of 6 s: %v", err)
		}
		greedy.Close()

		h.RegisterVerifiers(t.Context(), []issuer.Verifier{{ID: "orphan-of-some-server", Server: "killed", MaxStaleness: 3 * time.Second}})
		ctx, cancel := context.WithCancel(t.Context())
		wait := func() (revocation.Cursor, bool) { return h.heads[0].Cursor(), true }
		var ended sync.WaitGroup
		fill := func(admin bool, room int) {
			for range room {
				ended.Go(func() {
					if err := h.feed.Enforce(ctx, admin, wait); !errors.Is(err, context.Canceled) {
						t.Errorf("who gives up is told %v", err)
					}
				})
			}
			synctest.Wait()
			err := h.feed.Enforce(ctx, admin, func() (revocation.Cursor, bool) { t.Error("changed"); return revocation.Cursor{}, false })
			if !errors.Is(err, issuer.ErrBusy) {
				t.Errorf("one too many is told %v", err)
			}
		}
		fill(false, maxOthers)
		fill(true, maxWaiters-maxOthers) // for whom there is room still
		cancel()
		ended.Wait()

		h.fakeVerifiers.mu.Lock()
		h.fakeVerifiers.broken = errors.New("no database")
		h.fakeVerifiers.mu.Unlock()
		began := time.Now()
		err := h.feed.Enforce(t.Context(), false, wait)
		if took := time.Since(began); !errors.Is(err, issuer.ErrUnavailable) || took > h.feed.LongestWait()+time.Second {
			t.Errorf("without a database: %v after %v", err, took)
		}
	})
}

// What isn't an acknowledgement is refused, and one of a verifier that nobody knows does nothing.
func TestAcknowledgement(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		for body, status := range map[string]int{
			`{"verifier":"0123456789abcdef","log_id":"x","sequence":0}`:                                       204,
			`{"verifier":"0123456789abcdef","log_id":"x","sequence":9223372036854775808}`:                     400,
			`{"verifier":"0123456789abcde","log_id":"x","sequence":0}`:                                        400,
			`{"verifier":"0123456789abcdef","log_id":"","sequence":0}`:                                        400,
			`{"verifier":"0123456789abcdef","log_id":"x","sequence":-1}`:                                      400,
			`{"verifier":"0123456789abcdef","log_id":"x","sequence":0,"more":1}`:                              400,
			fmt.Sprintf(`{"verifier":"0123456789abcdef","log_id":%q,"sequence":0}`, strings.Repeat("x", 129)): 400,
			`[]`: 400,
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/base/feed/acknowledgement", bytes.NewReader([]byte(body)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+credential)
			r.Header.Set("Content-Type", "application/json")
			response, err := h.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != status {
				t.Errorf("%s: %d, want %d", body, response.StatusCode, status)
			}
		}
	})
}

// late is a connection on which all that comes, comes later.
type late struct {
	net.Conn
	delay time.Duration
	come  chan arrival
	rest  []byte
}

// arrival is what came, and when it may be read.
type arrival struct {
	at   time.Time
	data []byte
	err  error
}

// pump ends with the connection.
func (l *late) pump() {
	for {
		b := make([]byte, 32<<10)
		n, err := l.Conn.Read(b)
		l.come <- arrival{time.Now().Add(l.delay), b[:n], err}
		if err != nil {
			return
		}
	}
}

func (l *late) Read(b []byte) (int, error) {
	if len(l.rest) == 0 {
		next := <-l.come
		time.Sleep(time.Until(next.at))
		if l.rest = next.data; len(l.rest) == 0 {
			l.come <- next // an error stays
			return 0, next.err
		}
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// The issuer's clock is set ahead by as much as a proxy delays: no statement carries a lease that outlives the wait.
func TestEnforceWhileTheClockLeaps(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		const delay = 2800 * time.Millisecond // a stream that is silent for longer than 3 s is given up
		var slow atomic.Bool
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			if slow.Load() {
				return nil, errors.New("no way")
			}
			c, err := h.network.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			l := &late{Conn: c, delay: delay, come: make(chan arrival, 1000)}
			go l.pump()
			return l, nil
		}
		r, err := revocation.NewReader(revocation.ReaderOptions{
			URL: "http://127.0.0.1/base/feed", Issuer: h.URL(), Keys: h.keys, Credential: credential, MaxStaleness: 20 * time.Second,
			Client: &http.Client{Transport: &http.Transport{DialContext: dial}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		f := follower{Reader: r}
		h.fresh(f)
		slow.Store(true) // it keeps the stream that it has
		h.fakeIssuer.do(func() { h.ahead = delay })
		for made := h.feed.hub.newest.Load(); h.feed.hub.newest.Load() == made; { // until a frame of the new time is under way
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(10 * time.Millisecond)
		h.feed.EndStreams()
		if took := h.enforce(1); took < 10*time.Second || took > 25*time.Second {
			t.Errorf("it took %v", took)
		}
		for range 500 {
			if f.accepts(t, 1) {
				t.Fatalf("accepted after the answer; %+v", f.State())
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}

func TestLeaps(t *testing.T) {
	start := time.Now()
	issuer := start.Round(0).Add(-time.Hour)
	var l leaps
	for _, c := range []struct {
		at, took, ahead time.Duration
		leapt           bool
	}{
		{0, 0, 0, false}, {1, 0, 0, false}, {2, 0, time.Second, false}, {3, 0, 1100 * time.Millisecond, true}, {4, 0, 2 * time.Second, false},
		{5, 0, -5 * time.Minute, false}, {6, 0, 0, true}, {7, 3 * time.Second, 0, false}, {11, 0, 900 * time.Millisecond, false}, {12, 0, 1100 * time.Millisecond, true},
	} {
		before := start.Add(c.at * time.Second)
		now := issuer.Add(c.at*time.Second + c.ahead + c.took/2)
		if leapt := l.notice(now, before, before.Add(c.took)); leapt != c.leapt {
			t.Errorf("after %d s, %v ahead: %v", c.at, c.ahead, leapt)
		}
	}
}
