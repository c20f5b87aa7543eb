package console_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestSilentAnswersOnThisMachine: a code goes to loopback without anybody's doing for no public client, the operator's
// own and one with a consent included; any program on the machine may have asked for it (RFC 8252 §8.6).
func TestSilentAnswersOnThisMachine(t *testing.T) {
	const loopback, scheme = "http://127.0.0.1:49152/callback", "com.example.app:/callback"
	onBothLater(t, func(f *fixture, c *clock) {
		if err := f.issuer.CreateClient(f.Context(), issuer.Client{ID: "client_native", Scopes: []string{"pets:read"}, RedirectURIs: []string{scheme, callback}}); err != nil {
			f.Fatal(err)
		}
		for _, test := range []struct{ client, uri string }{{app, loopback}, {"client_native", scheme}} {
			b := f.browser()
			here := []string{"client_id", test.client, "redirect_uri", test.uri}
			page := b.logIn(b.authorize(append(here, "prompt", "consent")...))
			b.submit(page, "/consent", "decision", "allow").code(f.T)
			c.advance(time.Second) // or the login would be of the same millisecond as the requests
			if a := b.authorize(append(here, "prompt", "none")...); a.location == nil || a.location.Query().Get("error") != "consent_required" {
				f.Errorf("%s, with prompt=none: %v %.300s", test.uri, a.location, a.body)
			}
			page = b.authorize(here...)
			page.wantPage(f.T, 200, "pets:read")
			b.submit(page, "/consent", "decision", "allow").code(f.T)
			b.authorize("client_id", test.client).code(f.T) // over TLS it's the client's own host that gets it

			stranger := f.browser()
			a := stranger.logIn(stranger.authorize("client_id", app, "redirect_uri", loopback))
			a.code(f.T) // a login for this very request is doing enough
		}
		b := f.browser()
		b.logIn(b.authorize()).code(f.T)
		b.authorize("client_id", backend, "redirect_uri", callback).code(f.T)
	})
}

// TestCodesOfOneBrowser: whoever lures a signed-in browser to one request after the other makes no more than 30 rows a
// minute; that hinders no other browser, and nobody for longer than the minute.
func TestCodesOfOneBrowser(t *testing.T) {
	onBoth(t, func(f *fixture) {
		begun, b := time.Now(), f.browser()
		b.logIn(b.authorize()).code(f.T)
		query := "/base/oauth2/authorize?" + request().Encode()
		var given, refused atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				own := &browser{f, map[string]string{"__Host-jot-signin": b.cookies["__Host-jot-signin"]}}
				for range 10 {
					a := own.send("GET", query, nil)
					switch {
					case a.location == nil:
						f.Errorf("%d %.300s", a.status, a.body)
					case a.location.Query().Get("error") == "temporarily_unavailable":
						refused.Add(1)
					case a.location.Query().Has("code"):
						given.Add(1)
					}
				}
			})
		}
		all.Wait()
		if time.Since(begun) < time.Minute && given.Load() != 29 || given.Load()+refused.Load() != 40 {
			f.Errorf("%d codes given, %d refused", given.Load(), refused.Load())
		}
		other := f.browser()
		other.logIn(other.authorize()).code(f.T)
		other.authorize().code(f.T)
	})
}
