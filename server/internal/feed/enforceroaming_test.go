package feed

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// roaming is a way that leads to one server after the other, as through a load balancer, and can be cut.
type roaming struct {
	partition
	to atomic.Pointer[house]
}

func (r *roaming) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	p := &r.to.Load().network
	c, err := p.DialContext(ctx, network, address)
	return &lossy{c, &r.partition}, err
}

// A verifier that comes back to a server within the minute for which that has it registered, and was at another one
// meanwhile, is waited for even when the other one has forgotten it.
func TestEnforceForVerifierThatRoams(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		other := h.second()
		defer other.end()
		way := new(roaming)
		way.to.Store(h)
		r, err := revocation.NewReader(revocation.ReaderOptions{
			URL: "http://127.0.0.1/base/feed", Issuer: h.URL(), Keys: h.keys, Credential: credential, MaxStaleness: 10 * time.Second,
			Client: &http.Client{Transport: &http.Transport{DialContext: way.DialContext, DisableKeepAlives: true}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		f := follower{Reader: r}
		h.fresh(f)
		for _, next := range []*house{other, h} {
			before := way.to.Swap(next)
			before.feed.EndStreams()
			time.Sleep(5 * time.Second)
		}
		if h.count("live") != 2 || other.count("live") != 1 {
			t.Fatalf("%d and %d streams: this tests nothing", h.count("live"), other.count("live"))
		}
		time.Sleep(10*time.Second + leaseMargin)
		if !f.accepts(t, 1) {
			t.Fatal("it accepts nothing: this tests nothing")
		}
		way.cut.Store(true)
		took := h.enforce(1)
		if f.accepts(t, 1) {
			t.Errorf("accepted after the answer, which took %v", took)
		}
		way.cut.Store(false)
	})
}

// A verifier that polls, now here and now there, is asked and waited for as one that streams.
func TestEnforceForVerifierThatPolls(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		other := h.second()
		defer other.end()
		way := new(roaming)
		way.to.Store(h)
		c := &cable{RoundTripper: &http.Transport{DialContext: way.DialContext, DisableKeepAlives: true}, wrong: holdBack(true)}
		r, _ := h.overWith(c, func(o *revocation.ReaderOptions) { o.MaxStaleness = 8 * time.Second })
		defer r.Close()
		f := follower{Reader: r}
		h.fresh(f)
		for n := range 50 {
			way.to.Store([]*house{h, other}[n%2])
			if took := h.enforce(n); took > 5*time.Second { // two polls, and a look at what the other server asks; now and then a stream is tried for 3 s
				t.Errorf("round %d took %v", n, took)
			}
			if f.accepts(t, n) {
				t.Fatalf("round %d: accepted after the answer; %+v", n, r.State())
			}
			if r.State().Lease == 0 {
				t.Errorf("round %d: no lease; %+v", n, r.State())
			}
			time.Sleep(time.Duration(n%7) * 300 * time.Millisecond)
		}
		if s := r.State(); s.Connection != revocation.Polling || other.count("live?poll") < 10 || h.count("live?poll") < 10 {
			t.Errorf("%+v, %d and %d polls: this tests nothing", s, h.count("live?poll"), other.count("live?poll"))
		}
		way.cut.Store(true)
		took := h.enforce(50)
		if f.accepts(t, 50) || took < 4*time.Second {
			t.Errorf("cut off, after %v: accepted %v", took, f.accepts(t, 50))
		}
		way.cut.Store(false)
	})
}
