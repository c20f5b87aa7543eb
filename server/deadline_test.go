package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server"
)

// TestEndLate: who waits doesn't wait for ever, and as long as it says where it says so.
func TestEndLate(t *testing.T) {
	const bound = 12 * time.Second
	for name, one := range map[string]struct {
		move func(now time.Time) []time.Time // the deadlines for writing, one after the other; nil: it stays
		want time.Duration                   // 0: no end
	}{
		"nothing said": {nil, bound},
		"later":        {func(now time.Time) []time.Time { return []time.Time{now.Add(time.Minute)} }, time.Minute},
		"sooner":       {func(now time.Time) []time.Time { return []time.Time{now.Add(time.Second)} }, time.Second},
		"never":        {func(time.Time) []time.Time { return []time.Time{{}} }, 0},
		"of a frame":   {func(now time.Time) []time.Time { return []time.Time{{}, now.Add(time.Second)} }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var took time.Duration
				var ctx context.Context
				handler := server.EndLate(bound, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					started := time.Now()
					if one.move != nil {
						for _, deadline := range one.move(started) {
							if err := http.NewResponseController(w).SetWriteDeadline(deadline); err != nil {
								t.Error(err)
							}
						}
					}
					ctx = r.Context()
					select {
					case <-ctx.Done():
						took = time.Since(started)
					case <-time.After(time.Hour):
					}
				}))
				handler.ServeHTTP(timed{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/", nil))
				if took != one.want {
					t.Errorf("it ended after %v, want %v", took, one.want)
				}
				if ctx.Err() == nil {
					t.Error("the context outlives the request")
				}
			})
		})
	}
}

// timed is an answer that knows deadlines.
type timed struct{ *httptest.ResponseRecorder }

func (timed) SetWriteDeadline(time.Time) error { return nil }
