package feed

import (
	"encoding/json"
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

func TestLiveRefusesWhatItCantServe(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, revocation.MaxFrameRules+10)
		log, nonce := h.heads[0].LogID, "0123456789abcdef"
		for query, want := range map[string]int{
			"":                                       400,
			"after=0":                                400,
			"after=1&log=x&nonce=short":              400,
			"after=1&log=x&nonce=0123456789abcde%0a": 400,
			"after=1&log=x&nonce=" + strings.Repeat("n", 65):              400,
			"after=1&log=&nonce=" + nonce:                                 400,
			"after=1&log=" + strings.Repeat("l", 129) + "&nonce=" + nonce: 400,
			"after=-1&log=x&nonce=" + nonce:                               400,
			"after=01&log=x&nonce=" + nonce:                               400,
			"after=1&after=1&log=x&nonce=" + nonce:                        400,
			"after=99999999999999999999&log=x&nonce=" + nonce:             400,
			"after=1;log=x&nonce=" + nonce:                                400,
			"after=20&log=another&nonce=" + nonce:                         409,
			"after=99999&log=" + log + "&nonce=" + nonce:                  409,
			"after=9&log=" + log + "&nonce=" + nonce:                      410,
		} {
			response := h.get("live?"+query, bearer)
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != want || !json.Valid(body) {
				t.Errorf("%s: %d, want %d; %s %v", query, response.StatusCode, want, body, err)
			}
		}
	})
}

func TestLiveStream(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		h.revoke(0, 5)
		path := "live?after=0&nonce=0123456789abcdef&log=" + h.heads[0].LogID
		response := h.get(path, bearer, "Last-Event-ID: 3")
		defer response.Body.Close()
		for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		verifier, err := revocation.NewStatementVerifier(h.keys, h.URL())
		if err != nil {
			t.Fatal(err)
		}
		frames := revocation.NewFrameReader(response.Body)
		head := h.heads[3]
		began := time.Now()
		for n := range 5 {
			frame, err := frames.Next()
			if err != nil {
				t.Fatal(err)
			}
			s, err := verifier.Verify(t.Context(), frame.Statement)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range frame.Rules {
				head = head.Append(r)
			}
			nonce := ""
			if n == 0 {
				nonce = "0123456789abcdef"
			}
			if s.Head != head || s.Nonce != nonce || s.MaxTTL != time.Hour || s.Digest != nil || s.Sequence != 5 {
				t.Errorf("frame %d: %+v", n, s)
			}
			if late := time.Since(s.Time); late > time.Millisecond {
				t.Errorf("frame %d is %v old", n, late)
			}
		}
		if took := time.Since(began); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("four heartbeats in %v", took)
		}
	})
}

// A client that doesn't read is dropped, and neither the hub nor the other clients wait for it.
func TestSlowClientIsDropped(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		slow := h.get("live?after=0&nonce=0123456789abcdef&log="+h.heads[0].LogID, bearer)
		defer slow.Body.Close()
		r := h.reader()
		defer r.Close()
		time.Sleep(1500 * time.Millisecond)
		for n := range 100 {
			h.revoke(n*10, n*10+10)
			time.Sleep(minGap)
			synctest.Wait()
			h.says(r, n*10+9, jot.Revoked)
		}
		if n := h.feed.streams.Load(); n != 2 {
			t.Fatalf("%d streams, want 2: this doesn't test what it should", n)
		}
		time.Sleep(frameTimeout)
		if n := h.feed.streams.Load(); n != 1 {
			t.Errorf("%d streams, want 1", n)
		}
	})
}

func TestHeadRequestHoldsNoStream(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, "http://127.0.0.1/base/feed/live?after=0&nonce=0123456789abcdef&log="+h.heads[0].LogID, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+credential)
		response, err := h.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 405 || response.Header.Get("Allow") != "GET" || h.feed.streams.Load() != 0 {
			t.Errorf("%d, %d streams", response.StatusCode, h.feed.streams.Load())
		}
	})
}

// Clients that ask for many rules and read none of them take up little memory: only so many are answered at once, and
// others don't wait for them.
func TestClientsThatReadNothing(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		r := h.reader()
		defer r.Close()
		if err := r.WaitFresh(soon(t)); err != nil {
			t.Fatal(err)
		}
		h.revoke(0, revocation.MaxFrameRules)
		request := fmt.Sprintf("GET /base/feed/live?after=0&nonce=0123456789abcdef&log=%s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", h.heads[0].LogID, bearer)
		for range 4 * maxLongFirsts {
			c, err := h.network.DialContext(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if held := len(h.feed.firsts); held != maxLongFirsts {
			t.Errorf("%d long frames at once, want %d", held, maxLongFirsts)
		}
		near := h.reader() // of the newest snapshot
		defer near.Close()
		h.revoke(revocation.MaxFrameRules, revocation.MaxFrameRules+1)
		time.Sleep(time.Second)
		h.says(r, revocation.MaxFrameRules, jot.Revoked)
		h.says(near, revocation.MaxFrameRules, jot.Revoked)
		time.Sleep(8 * frameTimeout)
		if held := len(h.feed.firsts); held != 0 {
			t.Errorf("%d long frames are held for ever", held)
		}
	})
}
