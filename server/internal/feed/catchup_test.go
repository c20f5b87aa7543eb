package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// cable is a way to the feed on which things can go wrong.
type cable struct {
	http.RoundTripper
	mu    sync.Mutex
	wrong func(r *http.Request, response *http.Response, err error) (*http.Response, error) // nil: nothing
}

func (c *cable) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.RoundTripper.RoundTrip(r)
	c.mu.Lock()
	wrong := c.wrong
	c.mu.Unlock()
	if wrong == nil {
		return response, err
	}
	return wrong(r, response, err)
}

func (c *cable) set(wrong func(*http.Request, *http.Response, error) (*http.Response, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = wrong
}

// over makes a reader at the end of the cable, and returns what it tells its operator.
func (h *house) over(c *cable) (*revocation.Reader, func() string) {
	return h.overWith(c, func(*revocation.ReaderOptions) {})
}

func (h *house) overWith(c *cable, change func(*revocation.ReaderOptions)) (*revocation.Reader, func() string) {
	h.t.Helper()
	var mu sync.Mutex
	var told []error
	o := revocation.ReaderOptions{
		URL: "http://127.0.0.1/base/feed", Issuer: h.URL(), Keys: h.keys, Credential: credential, Client: &http.Client{Transport: c},
		OnError: func(err error) { mu.Lock(); defer mu.Unlock(); told = append(told, err) },
	}
	change(&o)
	r, err := revocation.NewReader(o)
	if err != nil {
		h.t.Fatal(err)
	}
	return r, func() string { mu.Lock(); defer mu.Unlock(); return fmt.Sprint(errors.Join(told...)) }
}

// holdBack is a proxy that passes an answer on when it's whole.
func holdBack(headersToo bool) func(*http.Request, *http.Response, error) (*http.Response, error) {
	return func(r *http.Request, response *http.Response, err error) (*http.Response, error) {
		if err != nil {
			return nil, err
		}
		if !headersToo {
			response.Body = &heldBack{body: response.Body}
			return response, nil
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
		return response, nil
	}
}

type heldBack struct {
	body  io.ReadCloser
	whole *bytes.Reader
}

func (b *heldBack) Read(p []byte) (int, error) {
	if b.whole == nil {
		all, err := io.ReadAll(b.body)
		if err != nil {
			return 0, err
		}
		b.whole = bytes.NewReader(all)
	}
	return b.whole.Read(p)
}

func (b *heldBack) Close() error { return b.body.Close() }

// Behind a proxy that holds streams back a reader polls, keeps its lease, and streams again when it can.
func TestProxyThatHoldsStreamsBack(t *testing.T) {
	for name, headersToo := range map[string]bool{"whole answers": true, "bodies": false} {
		t.Run(name, func(t *testing.T) {
			open(t, Config{}, func(t *testing.T, h *house) {
				h.revoke(0, 1)
				c := &cable{RoundTripper: h.client.Transport, wrong: holdBack(headersToo)}
				r, told := h.over(c)
				defer r.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if err := r.WaitFresh(ctx); err != nil {
					t.Fatal(err)
				}
				if s := r.State(); s.Connection != revocation.Polling || !strings.Contains(told(), "proxy") {
					t.Errorf("%+v; %s", s, told())
				}
				for n := 1; n < 1000; n++ {
					h.revoke(n, n+1)
					time.Sleep(1100 * time.Millisecond)
					if s := r.State(); s.Lease < 5*time.Second || int(s.Sequence) < n-4 { // a stream is tried for 3 s now and then
						t.Fatalf("after %d: %+v", n, s)
					}
				}
				if polls := h.count("live?poll"); polls > 2200 {
					t.Errorf("%d polls", polls)
				}
				c.set(nil)
				time.Sleep(6 * time.Minute)
				h.revoke(1000, 1001)
				time.Sleep(time.Second)
				h.says(r, 1000, jot.Revoked)
				if s := r.State(); s.Connection != revocation.Streaming || h.count("snapshot") != 1 {
					t.Errorf("%+v, %d snapshots", s, h.count("snapshot"))
				}
			})
		})
	}
}

// A network that is cut isn't taken for a proxy for long, and what was missed comes in segments, once each.
func TestReaderThatWasCutOff(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, 100)
		c := &cable{RoundTripper: h.client.Transport}
		r, _ := h.over(c)
		defer r.Close()
		time.Sleep(2 * time.Second)
		c.set(func(r *http.Request, response *http.Response, err error) (*http.Response, error) {
			if err == nil {
				response.Body.Close()
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		h.feed.EndStreams()
		h.revoke(100, 5*segment+7)
		time.Sleep(time.Minute)
		if _, err := r.CheckRevocation(t.Context(), facts(0)); !errors.Is(err, jot.ErrUnavailable) {
			t.Errorf("%v; %+v", err, r.State())
		}
		c.set(nil)
		time.Sleep(15 * time.Second)
		for _, n := range []int{0, 99, 100, segment, 5 * segment, 5*segment + 6} {
			h.says(r, n, jot.Revoked)
		}
		time.Sleep(6 * time.Minute)
		s := r.State()
		if s.Connection != revocation.Streaming || s.Sequence != 5*segment+7 || s.Rules != 5*segment+7 || h.count("snapshot") != 1 || h.count("segment/*") != 6 {
			t.Errorf("%+v, %d snapshots, %d segments", s, h.count("snapshot"), h.count("segment/*"))
		}
	})
}

// What a cache or whoever else makes of segments never counts, and the reader goes on from a snapshot.
func TestSegmentsThatLie(t *testing.T) {
	lines := func(change func(lines [][]byte) [][]byte) func([]byte) []byte {
		return func(body []byte) []byte { return bytes.Join(change(bytes.SplitAfter(body, []byte("\n"))), nil) }
	}
	for name, lie := range map[string]struct {
		tell func(body []byte) []byte
		says string
	}{
		"forged": {func(body []byte) []byte { return bytes.Replace(body, []byte("sid_5000"), []byte("sid_9999"), 1) }, "not the ones in the log"},
		"reordered": {lines(func(l [][]byte) [][]byte {
			l[4000], l[4001] = l[4001], l[4000]
			return l
		}), "not the ones in the log"},
		"truncated":   {lines(func(l [][]byte) [][]byte { return l[:len(l)-2] }), "unexpected EOF"},
		"half a line": {func(body []byte) []byte { return body[:len(body)-3] }, "unexpected EOF"},
		"oversized":   {func(body []byte) []byte { return append(body, body...) }, "too many rules"},
		"doubled":     {lines(func(l [][]byte) [][]byte { l[1] = l[0]; return l }), "not the ones in the log"},
		"garbage":     {func([]byte) []byte { return []byte("<html>\n") }, "revocation rule"},
		"empty":       {func([]byte) []byte { return nil }, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			open(t, Config{}, func(t *testing.T, h *house) {
				h.revoke(0, 4000)
				c := &cable{RoundTripper: h.client.Transport}
				r, told := h.over(c)
				defer r.Close()
				time.Sleep(2 * time.Second)
				h.end()
				h.revoke(4000, 2*segment+1)
				c.set(func(r *http.Request, response *http.Response, err error) (*http.Response, error) {
					if err == nil && strings.Contains(r.URL.Path, "/segment/1") {
						body, _ := io.ReadAll(response.Body)
						response.Body = io.NopCloser(bytes.NewReader(lie.tell(body)))
					}
					return response, err
				})
				h.start(Config{})
				for range 150 {
					time.Sleep(100 * time.Millisecond)
					if got, err := r.CheckRevocation(t.Context(), facts(9999)); err == nil && got != jot.Current {
						t.Fatal("the lie is believed")
					}
				}
				h.says(r, 2*segment, jot.Revoked)
				h.says(r, 5000, jot.Revoked)
				if !strings.Contains(told(), lie.says) || h.count("snapshot") != 2 {
					t.Errorf("the operator is told %q, want %q; %d snapshots", told(), lie.says, h.count("snapshot"))
				}
			})
		})
	}
}

// A cache that answers with an old snapshot costs segments and nothing else.
func TestOldSnapshotFromACache(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, segment)
		_, _, old := h.ask(h.newest())
		h.revoke(segment, 3*segment+1)
		time.Sleep(snapshotInterval)
		c := &cable{RoundTripper: h.client.Transport, wrong: func(r *http.Request, response *http.Response, err error) (*http.Response, error) {
			if err == nil && response.StatusCode == 200 && strings.Contains(r.URL.Path, "/snapshot/") {
				response.Body.Close()
				response.Body = io.NopCloser(bytes.NewReader(old))
			}
			return response, err
		}}
		r, _ := h.over(c)
		defer r.Close()
		if err := r.WaitFresh(soon(t)); err != nil {
			t.Fatal(err)
		}
		h.says(r, 3*segment, jot.Revoked)
		h.says(r, 2*segment, jot.Revoked)
		if h.count("segment/*") == 0 {
			t.Error("no segment was asked for: this doesn't test what it should")
		}
	})
}
