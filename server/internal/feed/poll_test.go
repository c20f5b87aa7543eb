package feed

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot/revocation"
)

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
