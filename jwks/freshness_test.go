package jwks_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/jwks"
)

func TestCacheControlWithinBounds(t *testing.T) {
	for _, test := range []struct {
		cacheControl, age string
		want              time.Duration
	}{
		{"max-age=300", "", 300 * time.Second},
		{"public, MAX-AGE=300, must-revalidate", "", 300 * time.Second},
		{"max-age=300", "100", 200 * time.Second},
		{"max-age=300", "soon", 300 * time.Second},
		{"max-age=300", "1000", 10 * time.Second},
		{"max-age=1", "", 10 * time.Second},
		{"max-age=99999999999999999999", "", 10 * time.Minute},
		{"max-age=never", "", 10 * time.Second},
		{"no-store", "", 10 * time.Second},
		{"no-cache", "", 10 * time.Second},
		{"", "", 10 * time.Minute},
		{"public", "", 10 * time.Minute},
		{"s-maxage=20", "", 10 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			serve := set(t, test.cacheControl, newKey(t, "a"))
			issuer := &issuer{}
			issuer.answer(func(w http.ResponseWriter, r *http.Request) {
				if test.age != "" {
					w.Header().Set("Age", test.age)
				}
				serve(w, r)
			})
			source := issuer.source(t, jwks.Options{})
			want(t, source, "a", "a")
			state := source.State()
			if got := state.FreshUntil.Sub(state.Fetched); got != test.want {
				t.Errorf("Cache-Control %q, Age %q: fresh for %v, want %v", test.cacheControl, test.age, got, test.want)
			}
		})
	}
}

func TestETag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conditions []string
		full := set(t, "max-age=60", newKey(t, "a"))
		issuer := &issuer{}
		issuer.answer(func(w http.ResponseWriter, r *http.Request) {
			conditions = append(conditions, r.Header.Get("If-None-Match"))
			w.Header().Set("ETag", `"v1"`)
			if r.Header.Get("If-None-Match") == `"v1"` {
				w.Header().Set("Cache-Control", "max-age=120")
				w.WriteHeader(http.StatusNotModified)
				return
			}
			full(w, r)
		})
		source := issuer.source(t, jwks.Options{})
		for range 3 {
			want(t, source, "a", "a")
			time.Sleep(2 * time.Minute)
		}
		if got := strings.Join(conditions, " "); got != ` "v1" "v1"` {
			t.Errorf("If-None-Match: %s", got)
		}
		state := source.State()
		if got := state.FreshUntil.Sub(state.Fetched); got != 2*time.Minute || state.LastError != nil {
			t.Errorf("after a 304: fresh for %v, error %v", got, state.LastError)
		}
	})
}

// What a 304 doesn't say of the set's freshness is what the set came with (RFC 9111 §3.2, §4.3.4), and not that nothing
// is known of it.
func TestNotModifiedKeepsCacheControl(t *testing.T) {
	for _, test := range []struct {
		full, confirmed string
		want            time.Duration
	}{
		{"max-age=60", "", time.Minute},
		{"max-age=60", "max-age=120", 2 * time.Minute},
		{"no-cache", "", 10 * time.Second},
		{"max-age=60", "public", 10 * time.Minute},
		{"", "", 10 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			full := set(t, test.full, newKey(t, "a"))
			issuer := &issuer{}
			issuer.answer(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"v1"`)
				if r.Header.Get("If-None-Match") == "" {
					full(w, r)
					return
				}
				if test.confirmed != "" {
					w.Header().Set("Cache-Control", test.confirmed)
				}
				w.WriteHeader(http.StatusNotModified)
			})
			source := issuer.source(t, jwks.Options{})
			for range 3 { // the second confirmation goes by what the first one left
				want(t, source, "a", "a")
				time.Sleep(11 * time.Minute)
			}
			state := source.State()
			if got := state.FreshUntil.Sub(state.Fetched); got != test.want {
				t.Errorf("%q, then %q: fresh for %v, want %v", test.full, test.confirmed, got, test.want)
			}
			issuer.expect(t, 3)
		})
	}
}

func TestOverlongETagIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := set(t, "max-age=60", newKey(t, "a"))
		issuer := &issuer{}
		issuer.answer(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") != "" {
				t.Error("the ETag was sent back")
			}
			w.Header().Set("ETag", `"`+strings.Repeat("v", 1<<10)+`"`)
			full(w, r)
		})
		source := issuer.source(t, jwks.Options{})
		want(t, source, "a", "a")
		time.Sleep(time.Minute)
		want(t, source, "a", "a")
		issuer.expect(t, 2)
	})
}

func TestUnaskedNotModifiedIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &issuer{}
		issuer.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
		want(t, issuer.source(t, jwks.Options{}), "a", "error")
	})
}
