package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

const segment = revocation.SegmentRules

// ask answers without following redirects.
func (h *house) ask(path string) (status int, header http.Header, body []byte) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "http://127.0.0.1/base/feed/"+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+credential)
	response, err := h.client.Transport.RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		h.t.Fatal(err)
	}
	return response.StatusCode, response.Header, body
}

// newest returns where the newest snapshot is.
func (h *house) newest() string {
	h.t.Helper()
	status, header, _ := h.ask("snapshot")
	location := header.Get("Location")
	if status != 307 || header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(location, "snapshot/") {
		h.t.Fatalf("%d %v", status, header)
	}
	return location
}

func (h *house) names(sequence int) string {
	return fmt.Sprintf("snapshot/%d?key=%s&log=%s", sequence, h.signer.KeyID(), h.heads[0].LogID)
}

// A snapshot is made once for all askers, never changes, and is good for a minute and for half of what segments may lead to.
func TestSnapshotIsMadeOnce(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		verifier, err := revocation.NewStatementVerifier(h.keys, h.URL())
		if err != nil {
			t.Fatal(err)
		}
		bodies := make(map[string][]byte)
		expect := func(why, location string, dumps int) {
			t.Helper()
			var askers sync.WaitGroup
			for range 5 {
				askers.Go(func() {
					if got := h.newest(); got != location {
						t.Errorf("%s: %s, want %s", why, got, location)
					}
				})
			}
			askers.Wait()
			status, header, body := h.ask(location)
			if status != 200 || header.Get("Cache-Control") != "public, max-age=31536000, immutable" || header.Get("Vary") != "Authorization" ||
				header.Get("Content-Type") != revocation.SnapshotType || bodies[location] != nil && !bytes.Equal(bodies[location], body) {
				t.Errorf("%s: %d %v, %d bytes", why, status, header, len(body))
			}
			bodies[location] = body
			s, rules, err := revocation.ReadSnapshot(t.Context(), bytes.NewReader(body), verifier, 1<<20)
			if err != nil || s.Head != h.heads[s.Sequence] || rules.Len() != int(s.Sequence) || !strings.HasPrefix(location, fmt.Sprintf("snapshot/%d?", s.Sequence)) {
				t.Errorf("%s: %+v, %v", why, s, err)
			}
			if h.dumps != dumps {
				t.Errorf("%s: the rules were read %d times, want %d", why, h.dumps, dumps)
			}
		}
		h.revoke(0, 10)
		expect("a short log", h.names(0), 1)
		h.revoke(10, segment+1)
		expect("within a minute", h.names(0), 1)
		time.Sleep(snapshotInterval)
		expect("a minute later", h.names(segment), 2)
		time.Sleep(10 * snapshotInterval)
		expect("the same head much later", h.names(segment), 2)
		h.revoke(segment+1, snapshotReach+2*segment)
		expect("far from the head", h.names(snapshotReach+2*segment), 3)
		if status, _, body := h.ask(h.names(segment)); status != 200 || !bytes.Equal(body, bodies[h.names(segment)]) {
			t.Errorf("who was sent to the one before: %d", status)
		}
		key, signer := newSigner(t)
		h.do(func() { h.signer, h.keys = signer, jot.NewKeySet(append(h.keys.Keys(), key.Public())...) })
		verifier, err = revocation.NewStatementVerifier(h.keys, h.URL())
		if err != nil {
			t.Fatal(err)
		}
		expect("another key", h.names(snapshotReach+2*segment), 4)
	})
}

func newSigner(t *testing.T) (*jot.PrivateKey, *jot.Signer) {
	t.Helper()
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: revocation.StatementType})
	if err != nil {
		t.Fatal(err)
	}
	return key, signer
}

// Whoever asks for a snapshot that isn't to be had is sent to the newest one; who asks for none at all is told.
func TestSnapshotNames(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, 3*segment+5)
		good := h.newest()
		for name, path := range map[string]string{
			"an older one": h.names(segment), "between segments": h.names(segment + 1), "beyond the head": h.names(4 * segment),
			"another log": strings.Replace(good, "log=", "log=x", 1), "another key": strings.Replace(good, "key=", "key=x", 1), "huge": h.names(1<<63 - 1),
		} {
			status, header, _ := h.ask(path)
			if at := "snapshot/" + header.Get("Location"); status != 307 || at != good || header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d to %s", name, status, at)
			}
		}
		for _, path := range []string{
			"snapshot/x?log=l&key=k", "snapshot/-1?log=l&key=k", "snapshot/01?log=l&key=k", "snapshot/99999999999999999999?log=l&key=k", "snapshot/0", "snapshot/0?log=l", "snapshot/0?key=k",
			"snapshot/0?log=&key=k", "snapshot/0?log=l&log=l&key=k", "snapshot/0?log=l&key=k&x=1", "snapshot/0?log=l;key=k", "snapshot/0?key=k&log=" + strings.Repeat("l", 129),
		} {
			if status, _, _ := h.ask(path); status != 400 {
				t.Errorf("%s: %d, want 400", path, status)
			}
		}
		if h.dumps != 1 {
			t.Errorf("the rules were read %d times, want once", h.dumps)
		}
	})
}

// A reader is sent to a snapshot by one replica and gets it from another.
func TestSnapshotOfAnotherReplica(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, segment)
		before := h.newest()
		h.revoke(segment, 2*segment)
		status, _, body := h.ask(h.names(2 * segment)) // which this one wouldn't have made yet
		verifier, err := revocation.NewStatementVerifier(h.keys, h.URL())
		if err != nil {
			t.Fatal(err)
		}
		if s, _, err := revocation.ReadSnapshot(t.Context(), bytes.NewReader(body), verifier, 1<<20); status != 200 || err != nil || s.Head != h.heads[2*segment] {
			t.Errorf("%d, %+v, %v", status, s, err)
		}
		if status, _, _ := h.ask(before); status != 200 {
			t.Errorf("the one before: %d", status)
		}
	})
}

// Snapshots that fail are no snapshots, and the next asker tries again.
func TestSnapshotThatFails(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, 1)
		h.breakDown(errors.New("no database"))
		if status, _, _ := h.ask("snapshot"); status != 500 {
			t.Errorf("%d, want 500", status)
		}
		h.breakDown(nil)
		if status, _, _ := h.ask(h.newest()); status != 200 {
			t.Errorf("%d, want 200", status)
		}
	})
}

func (h *house) segment(number int) string {
	return fmt.Sprintf("segment/%d?log=%s", number, h.heads[0].LogID)
}

func TestSegments(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, 3*segment-1)
		for n := range 2 {
			status, header, body := h.ask(h.segment(n))
			rules, err := revocation.ReadSegment(bytes.NewReader(body))
			if status != 200 || err != nil || !slices.Equal(rules, h.log[n*segment:(n+1)*segment]) || header.Get("Content-Type") != revocation.SegmentType ||
				header.Get("Cache-Control") != "public, max-age=31536000, immutable" || header.Get("Vary") != "Authorization" {
				t.Errorf("segment %d: %d %v, %v", n, status, header, err)
			}
		}
		refused := func(path string, want int) {
			t.Helper()
			if status, header, _ := h.ask(path); status != want || header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %s, want %d", path, status, header.Get("Cache-Control"), want)
			}
		}
		refused(h.segment(2), 404)
		refused(h.segment(1<<62), 404)
		refused("segment/0?log=another", 409)
		for _, path := range []string{"segment/0", "segment/x?log=l", "segment/00?log=l", "segment/0?log=", "segment/0?log=l&log=l", "segment/0?log=l&x=1", "segment/0?log=" + strings.Repeat("l", 129)} {
			refused(path, 400)
		}
		h.revoke(3*segment-1, 3*segment)
		if status, _, _ := h.ask(h.segment(2)); status != 200 {
			t.Errorf("a segment that is complete now: %d", status)
		}
		h.do(func() { h.swept = segment })
		for n := range h.feed.segments.kept {
			delete(h.feed.segments.kept, n)
		}
		refused(h.segment(0), 410)
		h.revoke(3*segment, (revocation.MaxSegments+2)*segment)
		refused(h.segment(1), 410)
		for n := 2; n < revocation.MaxSegments+2; n++ {
			if status, _, _ := h.ask(h.segment(n)); status != 200 {
				t.Errorf("segment %d: %d", n, status)
			}
		}
		if kept := len(h.feed.segments.kept); kept > revocation.MaxSegments {
			t.Errorf("%d segments are kept", kept)
		}
	})
}

func TestSegmentsAreBounded(t *testing.T) {
	s := newSegments(newFakeIssuer(t))
	for n := range uint64(10) {
		s.keep("log", n, make([]byte, maxSegmentBytes/4))
	}
	if len(s.kept) != 4 || s.size != maxSegmentBytes || s.kept[9] == nil || s.find("another", 9) != nil {
		t.Errorf("%d segments, %d bytes", len(s.kept), s.size)
	}
	if s.keep("another", 1, []byte("x")); len(s.kept) != 1 || s.size != 1 {
		t.Errorf("%d segments of another log, %d bytes", len(s.kept), s.size)
	}
}

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

func TestPoll(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		verifier, err := revocation.NewStatementVerifier(h.keys, h.URL())
		if err != nil {
			t.Fatal(err)
		}
		h.revoke(0, 5)
		poll := func(after int) (sequences []uint64, took time.Duration) {
			t.Helper()
			began := time.Now()
			status, header, body := h.ask(fmt.Sprintf("live?after=%d&nonce=0123456789abcdef&poll=1&log=%s", after, h.heads[0].LogID))
			took = time.Since(began)
			if status != 200 || header.Get("Cache-Control") != "no-store" || header.Get("Content-Length") != fmt.Sprint(len(body)) {
				t.Errorf("%d %v", status, header)
			}
			head := h.heads[after]
			for in := revocation.NewFrameReader(bytes.NewReader(body)); ; {
				frame, err := in.Next()
				if err == io.EOF {
					return sequences, took
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range frame.Rules {
					head = head.Append(r)
				}
				s, err := verifier.Verify(t.Context(), frame.Statement)
				if err != nil || s.Head != head || (s.Nonce == "0123456789abcdef") != (sequences == nil) {
					t.Errorf("%+v, %v", s, err)
				}
				sequences = append(sequences, s.Sequence)
			}
		}
		if got, took := poll(3); !slices.Equal(got, []uint64{5}) || took > 100*time.Millisecond {
			t.Errorf("with rules to tell: %v after %v", got, took)
		}
		if got, took := poll(5); !slices.Equal(got, []uint64{5, 5}) || took > heartbeat+100*time.Millisecond {
			t.Errorf("without: %v after %v", got, took)
		}
		go func() {
			time.Sleep(300 * time.Millisecond)
			h.revoke(5, 6)
		}()
		if got, took := poll(5); !slices.Equal(got, []uint64{5, 6}) || took > 400*time.Millisecond {
			t.Errorf("with one on the way: %v after %v", got, took)
		}
		for _, value := range []string{"0", "", "2", "1&poll=1"} {
			if status, _, _ := h.ask("live?after=0&nonce=0123456789abcdef&log=x&poll=" + value); status != 400 {
				t.Errorf("poll=%s: %d, want 400", value, status)
			}
		}
	})
}
