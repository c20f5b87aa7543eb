package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/webtest"
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
	return fmt.Sprintf("snapshot/%d?format=2&key=%s&log=%s", sequence, h.signer.KeyID(), h.heads[0].LogID)
}

// A snapshot is made once for all askers, never changes, and is good for a minute and for half of what segments may
// lead to.
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
			"another format": strings.Replace(good, "format=2", "format=1", 1), "none, as format 1 had it": strings.Replace(good, "format=2&", "", 1),
			"another log": strings.Replace(good, "log=", "log=x", 1), "another key": strings.Replace(good, "key=", "key=x", 1), "huge": h.names(math.MaxInt),
		} {
			status, header, _ := h.ask(path)
			if at := "snapshot/" + header.Get("Location"); status != 307 || at != good || header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d to %s", name, status, at)
			}
		}
		for _, path := range []string{
			"snapshot/x?log=l&key=k", "snapshot/-1?log=l&key=k", "snapshot/01?log=l&key=k", "snapshot/99999999999999999999?log=l&key=k", "snapshot/0", "snapshot/0?log=l", "snapshot/0?key=k",
			"snapshot/0?log=&key=k", "snapshot/0?log=l&log=l&key=k", "snapshot/0?log=l&key=k&x=1", "snapshot/0?format=2&format=2&log=l&key=k", "snapshot/0?format=2&log=l&key=k&x=1", "snapshot/0?format=2&log=l", "snapshot/0?log=l;key=k", "snapshot/0?key=k&log=" + strings.Repeat("l", 129),
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

// Who comes while a snapshot is made has time for that one and its own, before it waits.
func TestSnapshotIsWaitedFor(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		named := h.newest()
		var deadline time.Time
		handler := h.http.Handler
		h.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handler.ServeHTTP(webtest.Noting{ResponseWriter: w, Deadline: &deadline}, r)
		})
		for path, want := range map[string]int{"snapshot": 307, named: 200} {
			h.feed.snapshots.kept = nil // as in another replica
			h.feed.snapshots.making <- struct{}{}
			answered := make(chan int)
			go func() { // ends with the answer
				status, _, _ := h.ask(path)
				answered <- status
			}()
			synctest.Wait()
			if left := time.Until(deadline); left < 2*snapshotTimeout {
				t.Errorf("%s has %v, want %v", path, left, 2*snapshotTimeout)
			}
			deadline = time.Time{}
			<-h.feed.snapshots.making
			if status := <-answered; status != want {
				t.Errorf("%s: %d, want %d", path, status, want)
			}
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
		refused(h.segment(math.MaxInt/2+1), 404)
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

// A snapshot that was made while the issuer's clock was ahead leaves out what would have expired by then, so that no
// reader takes it when the clock is right again: there is another one.
func TestSnapshotOfAClockThatWasAhead(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.ahead = 3 * time.Hour
		h.revoke(0, 1)
		early := h.reader()
		defer early.Close()
		if err := early.WaitFresh(soon(t)); err != nil {
			t.Fatal(err)
		}
		h.fakeIssuer.do(func() { h.ahead = 0 })
		time.Sleep(20 * time.Second)
		late := h.reader()
		defer late.Close()
		for name, r := range map[string]*revocation.Reader{"that was there": early, "that comes": late} {
			if err := r.WaitFresh(soon(t)); err != nil {
				t.Errorf("a reader %s: %v", name, err)
			}
		}
	})
}
