package feed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

const bearer = "Authorization: Bearer " + credential

func TestReaderFollowsTheServer(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, 10)
		r := h.reader()
		defer r.Close()
		if err := r.WaitFresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.says(r, 9, jot.Revoked)
		h.says(r, 10, jot.Current)
		for n := 10; n < 40; n++ { // longer than all timeouts of the server, and than a connection's life
			h.revoke(n, n+1)
			time.Sleep(minGap)
			synctest.Wait()
			h.says(r, n, jot.Revoked)
			time.Sleep(20 * time.Second)
			if s := r.State(); s.Lease < 8*time.Second || s.LastError != nil {
				t.Fatalf("%+v", s)
			}
		}
		if h.count("snapshot") != 1 || h.count("live") < 2 || h.count("live") > 4 {
			t.Errorf("%d snapshots, %d streams", h.count("snapshot"), h.count("live"))
		}
	})
}

// What doesn't fit into a frame goes into several, and none of them promises more than it holds.
func TestBurstReachesConnectedReaders(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		r := h.reader()
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		const many = 3*revocation.MaxFrameRules + 5
		h.revoke(0, many)
		time.Sleep(minGap)
		synctest.Wait()
		h.says(r, many-1, jot.Revoked)
		h.says(r, 0, jot.Revoked)
		if s := r.State(); s.LastError != nil || s.Sequence != many || h.count("snapshot") != 1 {
			t.Errorf("%+v, %d snapshots", s, h.count("snapshot"))
		}
	})
}

func TestRestart(t *testing.T) {
	for name, missed := range map[string]int{
		"nothing missed": 0, "within the tail": revocation.MaxFrameRules, "segments are needed": revocation.MaxFrameRules + 1,
		"too far behind": (revocation.MaxSegments + 1) * revocation.SegmentRules,
	} {
		t.Run(name, func(t *testing.T) {
			open(t, Config{}, func(t *testing.T, h *house) {
				h.revoke(0, 3)
				r := h.reader()
				defer r.Close()
				time.Sleep(1500 * time.Millisecond)
				h.end()
				h.revoke(3, 3+missed)
				time.Sleep(5 * time.Second)
				h.says(r, 2, jot.Revoked) // under the lease
				h.says(r, 3, jot.Current)
				h.start(Config{})
				time.Sleep(5 * time.Second)
				h.says(r, 2, jot.Revoked)
				if missed > 0 {
					h.says(r, 3, jot.Revoked)
					h.says(r, 2+missed, jot.Revoked)
				}
				snapshots, segments := 1, 0
				switch {
				case missed > revocation.MaxSegments*revocation.SegmentRules:
					snapshots, segments = 2, 1
				case missed > revocation.MaxFrameRules:
					segments = 1
				}
				if got := h.count("snapshot"); got != snapshots {
					t.Errorf("%d snapshots, want %d", got, snapshots)
				}
				if got := h.count("segment/*"); got < segments || segments == 0 && got > 0 {
					t.Errorf("%d segments, want %d", got, segments)
				}
			})
		})
	}
}

// A log that was taken back under the server is no peace: the streams end and readers that had seen more
// lose their lease.
func TestRewoundLog(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, 10)
		r := h.reader()
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		h.rewind(5, "")
		time.Sleep(12 * time.Second)
		if _, err := r.CheckRevocation(t.Context(), facts(0)); !errors.Is(err, jot.ErrUnavailable) {
			t.Errorf("%v; %+v", err, r.State())
		}
		h.revoke(20, 30) // longer than before, but another one
		time.Sleep(30 * time.Second)
		fresh := h.reader()
		defer fresh.Close()
		if err := fresh.WaitFresh(t.Context()); err != nil {
			t.Error(err)
		}
		h.says(fresh, 29, jot.Revoked)
	})
	open(t, Config{}, func(t *testing.T, h *house) { // a recovered log has another name, refuses what was issued before, and is followed
		h.revoke(0, 10)
		r := h.reader()
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		before := facts(0)
		h.rewind(0, "recovered")
		h.append(revocation.Rule{Kind: revocation.IssuerIssuedAt, Issuer: h.URL(), Minimum: time.Now().Unix() + 2, Expires: time.Now().Unix() + 3600})
		h.revoke(20, 21)
		time.Sleep(10 * time.Second)
		h.says(r, 20, jot.Revoked)
		if got, err := r.CheckRevocation(t.Context(), before); err != nil || got != jot.Revoked {
			t.Errorf("a token of before: %v, %v", got, err)
		}
		h.says(r, 0, jot.Current)
	})
}

func TestBrokenIssuer(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		r := h.reader()
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		h.breakDown(errors.New("no database"))
		time.Sleep(12 * time.Second)
		if _, err := r.CheckRevocation(t.Context(), facts(0)); !errors.Is(err, jot.ErrUnavailable) {
			t.Errorf("%v; %+v", err, r.State())
		}
		h.breakDown(nil)
		h.revoke(0, 1)
		time.Sleep(6 * time.Second)
		h.says(r, 0, jot.Revoked)
	})
}

func TestManyReaders(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		var readers []*revocation.Reader
		for range 200 {
			r := h.reader()
			defer r.Close()
			readers = append(readers, r)
		}
		for _, r := range readers {
			if err := r.WaitFresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		h.revoke(0, 100)
		time.Sleep(minGap)
		synctest.Wait()
		for _, r := range readers {
			h.says(r, 99, jot.Revoked)
		}
	})
}

func TestCredentials(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		for _, path := range []string{"snapshot", "live?after=0&log=x&nonce=0123456789abcdef"} {
			for _, headers := range [][]string{
				nil,
				{"Authorization: Bearer " + credential + "x"},
				{"Authorization: Bearer " + credential[1:]},
				{"Authorization: Basic " + credential},
				{"Cookie: __Host-jot=" + credential},
			} {
				response := h.get(path, headers...)
				response.Body.Close()
				challenge := `Bearer realm="jot"`
				if headers != nil && strings.Contains(headers[0], "Bearer") {
					challenge += `, error="invalid_token"`
				}
				if got := response.Header.Get("WWW-Authenticate"); response.StatusCode != 401 || got != challenge {
					t.Errorf("%s with %q: %d %s", path, headers, response.StatusCode, got)
				}
			}
			for _, malformed := range []string{credential, "Bearer\t" + credential, "Bearer " + credential + " x", "Bearer"} {
				response := h.get(path, "Authorization: "+malformed)
				response.Body.Close()
				if response.StatusCode != 400 {
					t.Errorf("%s with %q: %d", path, malformed, response.StatusCode)
				}
			}
			response := h.get(path, bearer, bearer)
			response.Body.Close()
			if response.StatusCode != 400 {
				t.Errorf("two headers: %d", response.StatusCode)
			}
		}
		response := h.get("snapshot", "Authorization: bearer another-credential-for-another-verifier")
		response.Body.Close()
		if response.StatusCode != 200 {
			t.Errorf("the other credential: %d", response.StatusCode)
		}
	})
	open(t, Config{Credentials: []string{}}, func(t *testing.T, h *house) {
		for _, headers := range [][]string{nil, {bearer}} {
			response := h.get("snapshot", headers...)
			response.Body.Close()
			if response.StatusCode != 401 {
				t.Errorf("a feed without credentials answers %d", response.StatusCode)
			}
		}
	})
	for _, text := range []string{"short", "a credential that no header can hold as one"} {
		if _, err := New(newFakeIssuer(t), Config{Credentials: []string{text}}); err == nil {
			t.Errorf("%q is accepted for a credential", text)
		}
	}
}

func TestKeySetIsPublic(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		response := h.get("jwks.json")
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != 200 {
			t.Fatal(response.StatusCode, err)
		}
		set, err := jot.ParseKeySet(body, jot.ParseOptions{})
		if err != nil || len(set.Keys()) != 1 || set.Keys()[0].KeyID() != h.signer.KeyID() || strings.Contains(string(body), `"d"`) {
			t.Errorf("%s, %v", body, err)
		}
		if kept := response.Header.Get("Cache-Control"); kept != "public, max-age=420" { // a new key signs when it was shown for so long
			t.Errorf("caches are told %q", kept)
		}
	})
}

// TestSweptLog: while nobody listened the log was shortened beyond what the hub knew. Who is behind learns it, and who
// isn't goes on.
func TestSweptLog(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, 10)
		join := func(after, want int) {
			t.Helper()
			response := h.get(fmt.Sprintf("live?after=%d&nonce=0123456789abcdef&log=%s", after, h.heads[0].LogID), bearer)
			defer response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("after %d: %d, want %d", after, response.StatusCode, want)
			}
		}
		join(10, 200)
		time.Sleep(time.Minute) // the stream has ended
		h.revoke(10, revocation.MaxFrameRules+20)
		h.do(func() { h.swept = 20 })
		join(10, 410)
		join(revocation.MaxFrameRules, 200)
	})
}

func TestBounds(t *testing.T) {
	open(t, Config{MaxStreams: 2, MaxDownloads: 1}, func(t *testing.T, h *house) {
		path := "live?after=0&nonce=0123456789abcdef&log=" + h.heads[0].LogID
		first, second := h.get(path, bearer), h.get(path, bearer)
		third := h.get(path, bearer)
		if first.StatusCode != 200 || second.StatusCode != 200 || third.StatusCode != 503 || third.Header.Get("Retry-After") == "" {
			t.Errorf("%d, %d, %d", first.StatusCode, second.StatusCode, third.StatusCode)
		}
		first.Body.Close()
		time.Sleep(2 * time.Second)
		fourth := h.get(path, bearer)
		if fourth.StatusCode != 200 {
			t.Errorf("after one has left: %d", fourth.StatusCode)
		}
		for _, response := range []*http.Response{second, third, fourth} {
			response.Body.Close()
		}

		h.revoke(0, 10_000) // more than fits into the buffers on the way
		slow := h.get("snapshot", bearer)
		refused := h.get("snapshot", bearer)
		if slow.StatusCode != 200 || refused.StatusCode != 503 || refused.Header.Get("Retry-After") == "" {
			t.Errorf("%d, %d", slow.StatusCode, refused.StatusCode)
		}
		slow.Body.Close()
		refused.Body.Close()
		time.Sleep(time.Second)
		again := h.get("snapshot", bearer)
		if again.StatusCode != 200 {
			t.Errorf("after the slow one has left: %d", again.StatusCode)
		}
		again.Body.Close()
	})
}

func TestClosedFeed(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		path := "live?after=0&nonce=0123456789abcdef&log=" + h.heads[0].LogID
		stream := h.get(path, bearer)
		defer stream.Body.Close()
		h.feed.Close()
		if _, err := io.Copy(io.Discard, bufio.NewReader(stream.Body)); err != nil {
			t.Errorf("the stream doesn't end in good order: %v", err)
		}
		h.feed.EndStreams()
		response := h.get(path, bearer)
		response.Body.Close()
		if response.StatusCode != 503 {
			t.Errorf("a closed feed answers %d", response.StatusCode)
		}
	})
}

// Rules that are written while readers come and go reach all of them, in whatever order things happen.
func TestWritersAndReadersAtOnce(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		const writers, each = 4, 250
		done := make(chan error)
		for w := range writers {
			go func() {
				for n := range each {
					h.revoke(w*each+n, w*each+n+1)
					time.Sleep(time.Duration(w+1) * time.Millisecond)
				}
				done <- nil
			}()
		}
		for i := range 20 {
			go func() {
				time.Sleep(time.Duration(i) * 40 * time.Millisecond)
				r := h.reader()
				defer r.Close()
				done <- waitFor(r, writers*each)
			}()
		}
		for range writers + 20 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// waitFor waits until a reader has come to a sequence, and checks that it refuses all up to there.
func waitFor(r *revocation.Reader, sequence uint64) error {
	for range 1000 {
		if s := r.State(); s.Sequence == sequence && s.Rules == int(sequence) {
			return nil
		} else if s.LastError != nil {
			return s.LastError
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("the reader got stuck: %+v", r.State())
}

// What one look at the log found and couldn't publish any more, the next one publishes: no stream has a gap.
func TestLookThatIsCutShort(t *testing.T) {
	f := newFakeIssuer(t)
	h := &hub{issuer: f, asker: new(registry), last: &frame{ready: make(chan struct{})}}
	if _, err := h.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.revoke(1, 3)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	told, last := h.told, h.last
	if _, err := h.look(over); !errors.Is(err, context.Canceled) || h.told != told || h.last != last {
		t.Errorf("error %v, told %v after %v", err, h.told, told)
	}
	if _, err := h.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if next := string(last.next.data); h.last != last.next || !strings.Contains(next, "sid_1") || !strings.Contains(next, "sid_2") {
		t.Errorf("the next frame is %s", next)
	}
}

// Without a listener the hub leaves the database alone, and is up to date when one comes.
func TestIdleHubRests(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		listen := func() {
			r := h.reader()
			defer r.Close()
			if err := r.WaitFresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			h.says(r, len(h.log)-1, jot.Revoked)
		}
		h.revoke(0, 1)
		listen()
		time.Sleep(2 * time.Second)
		before := h.lookCount()
		for n := range 100 {
			time.Sleep(time.Second)
			h.revoke(n+1, n+2)
		}
		if looks := h.lookCount() - before; looks != 0 {
			t.Errorf("the hub looked %d times", looks)
		}
		listen()
	})
}
