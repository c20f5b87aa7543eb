package feed

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// While servers of a version with another format of snapshots are replaced, a verifier that runs goes on, and one that
// starts waits until they are, and no longer: it needn't be started again.
func TestSnapshotsDuringARollOut(t *testing.T) {
	for name, replica := range map[string]struct {
		old  func(snapshot []byte, r *http.Response) // makes an old one's answer of a new one's
		says string
	}{
		"an old replica answers": {func(snapshot []byte, r *http.Response) {
			if strings.HasSuffix(r.Request.URL.Path, "/snapshot") {
				r.Header.Set("Location", strings.Replace(r.Header.Get("Location"), "format=2&", "", 1))
				return
			}
			r.StatusCode, r.Body = http.StatusOK, io.NopCloser(bytes.NewReader(snapshot))
			r.Header.Set("Content-Type", revocation.SnapshotType)
		}, "another version of jot made it"},
		"a new one sends to an old one": {func(_ []byte, r *http.Response) {
			if r.Request.URL.Query().Has("format") {
				r.StatusCode, r.Body = http.StatusBadRequest, http.NoBody
			}
		}, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			open(t, Config{}, func(t *testing.T, h *house) {
				h.revoke(0, segment)
				c := &cable{RoundTripper: h.client.Transport}
				running, _ := h.over(c)
				defer running.Close()
				if err := running.WaitFresh(soon(t)); err != nil {
					t.Fatal(err)
				}
				_, _, text := h.ask(h.names(segment))
				snapshot := asFormat1(h, text)
				c.set(func(r *http.Request, response *http.Response, err error) (*http.Response, error) {
					if err == nil && strings.Contains(r.URL.Path, "/snapshot") {
						response.Body.Close()
						replica.old(snapshot, response)
					}
					return response, err
				})
				starting, told := h.over(c)
				defer starting.Close()
				for n := segment; n < segment+10; n++ {
					h.revoke(n, n+1)
					time.Sleep(time.Minute)
					h.says(running, n, jot.Revoked)
					if _, err := starting.CheckRevocation(t.Context(), facts(0)); err == nil {
						t.Fatal("a verifier without a snapshot answers")
					}
				}
				if !strings.Contains(told(), replica.says) {
					t.Errorf("the operator isn't told %q", replica.says)
				}
				c.set(nil)
				if err := starting.WaitFresh(soon(t)); err != nil {
					t.Fatal(err)
				}
				h.says(starting, segment+9, jot.Revoked)
				h.says(starting, segment+10, jot.Current)
			})
		})
	}
}
