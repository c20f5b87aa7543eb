package feed

import (
	"compress/gzip"
	"io"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/jot-auth/jot/revocation"
)

// held is a ResponseWriter that gives its connection to nobody, as that of HTTP/2 is.
type held struct{ w http.ResponseWriter }

func (h held) Header() http.Header         { return h.w.Header() }
func (h held) Write(p []byte) (int, error) { return h.w.Write(p) }
func (h held) WriteHeader(status int)      { h.w.WriteHeader(status) }
func (h held) FlushError() error           { return http.NewResponseController(h.w).Flush() }
func (h held) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(h.w).SetReadDeadline(t)
}
func (h held) SetWriteDeadline(t time.Time) error {
	return http.NewResponseController(h.w).SetWriteDeadline(t)
}

// A stream over HTTP/1 leaves its request behind, one over HTTP/2 doesn't. Either way it keeps no frame that it has
// sent, which would keep all that followed, and ends when its client is gone.
func TestStreamHoldsLittle(t *testing.T) {
	for name, test := range map[string]struct {
		protocol  func(http.Handler) http.Handler
		answering int64
	}{
		"HTTP/1": {func(next http.Handler) http.Handler { return next }, 0},
		"HTTP/2": {func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(held{w}, r) })
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			open(t, Config{}, func(t *testing.T, h *house) {
				h.http.Handler = test.protocol(h.http.Handler)
				response := h.get("live?after=0&nonce=0123456789abcdef&log="+h.heads[0].LogID, bearer)
				go io.Copy(io.Discard, response.Body) // ends with the body
				time.Sleep(heartbeat / 2)
				synctest.Wait()
				if answering, streams := h.feed.Answering(), h.feed.Streams(); answering != test.answering || streams != 1 {
					t.Errorf("%d requests for %d streams, want %d for 1", answering, streams, test.answering)
				}
				before := weak.Make(h.feed.hub.last)
				h.revoke(0, 1)
				time.Sleep(3 * heartbeat)
				synctest.Wait()
				runtime.GC()
				if before.Value() != nil {
					t.Error("the stream keeps a frame of three seconds ago")
				}
				response.Body.Close()
				time.Sleep(2 * heartbeat)
				synctest.Wait()
				if n := h.feed.Streams(); n != 0 {
					t.Errorf("%d streams, want none", n)
				}
			})
		})
	}
}

// A program may put a ResponseWriter around ours that hides deadlines. Then only a stream is refused, which those of
// the server would cut.
func TestWithoutDeadlines(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		inner := h.http.Handler
		h.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
		})
		live := "live?after=0&nonce=0123456789abcdef&log=" + h.heads[0].LogID
		for path, want := range map[string]int{"snapshot": 307, h.newest(): 200, live + "&poll=1": 200, live: 500} {
			if status, _, _ := h.ask(path); status != want {
				t.Errorf("%s: %d, want %d", path, status, want)
			}
		}
	})
}

// The first frame and those that follow make one stream, of which nothing says where it ends but the connection.
func TestStreamIsNotInChunks(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		response := h.get("live?after=0&nonce=0123456789abcdef&log="+h.heads[0].LogID, bearer)
		defer response.Body.Close()
		if len(response.TransferEncoding) > 0 || response.ContentLength != -1 || !response.Close {
			t.Errorf("transfer encoding %q, length %d, close %v", response.TransferEncoding, response.ContentLength, response.Close)
		}
		frames := revocation.NewFrameReader(response.Body)
		for n := range 3 {
			if _, err := frames.Next(); err != nil {
				t.Fatalf("frame %d: %v", n, err)
			}
		}
		h.feed.EndStreams()
		if _, err := frames.Next(); err != io.EOF {
			t.Errorf("the end is %v", err)
		}
	})
}

// zipping is a ResponseWriter that encodes what is sent, and knows its connection, as those of programs are that mount
// the server.
type zipping struct {
	http.ResponseWriter
	to *gzip.Writer
}

func (z zipping) Unwrap() http.ResponseWriter { return z.ResponseWriter }

func (z zipping) Write(p []byte) (int, error) {
	z.Header().Set("Content-Encoding", "gzip")
	return z.to.Write(p)
}

func (z zipping) FlushError() error {
	if err := z.to.Flush(); err != nil {
		return err
	}
	return http.NewResponseController(z.ResponseWriter).Flush()
}

// Where somebody between the server and its client encodes what is sent, they get all of it.
func TestStreamIsEncodedToItsEnd(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		plain := h.http.Handler
		h.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			to := gzip.NewWriter(w)
			defer to.Close()
			plain.ServeHTTP(zipping{w, to}, r)
		})
		response := h.get("live?after=0&nonce=0123456789abcdef&log="+h.heads[0].LogID, bearer) // whose client decodes it
		defer response.Body.Close()
		frames := revocation.NewFrameReader(response.Body)
		for n := range 3 {
			if _, err := frames.Next(); err != nil {
				t.Fatalf("frame %d: %v", n, err)
			}
		}
	})
}
