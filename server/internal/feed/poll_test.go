package feed

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
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

// First frames that take long to make, since there are many rules to tell or the key is far away, keep nobody waiting
// but who asked for them.
func TestFirstFramesKeepNobodyElseWaiting(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		key, err := jot.NewRemoteKey(jot.EdDSA, public, func(_ context.Context, input []byte) ([]byte, error) {
			_, payload, _ := strings.Cut(string(input), ".")
			if claims, err := base64.RawURLEncoding.DecodeString(payload); err == nil && strings.Contains(string(claims), `"nonce"`) {
				time.Sleep(time.Second)
			}
			return ed25519.Sign(private, input), nil
		}, jot.KeyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if h.signer, err = jot.NewSigner(key, jot.SignerOptions{Type: revocation.StatementType}); err != nil {
			t.Fatal(err)
		}
		h.keys = jot.NewKeySet(key.Public())
		r := h.reader()
		defer r.Close()
		if err := r.WaitFresh(soon(t)); err != nil {
			t.Fatal(err)
		}
		h.revoke(0, 1)
		var asking sync.WaitGroup
		for range 20 {
			asking.Go(func() { h.ask("live?after=0&nonce=0123456789abcdef&poll=1&log=" + h.heads[0].LogID) })
		}
		time.Sleep(maxGap)
		for n := 1; n < 10; n++ {
			h.revoke(n, n+1)
			time.Sleep(maxGap)
			synctest.Wait()
			h.says(r, n, jot.Revoked)
		}
		asking.Wait()
	})
}
