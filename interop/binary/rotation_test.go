//go:build unix

package binary

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	root "github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/jwks"
)

// In all 200 logins and 20 rotations. A key set has eight keys of an algorithm at most, and one that retires stays for
// a quarter of an hour and more: so they come in waves, between which the keys that retire are revoked.
const (
	waves         = 4
	waveLogins    = 50
	waveRotations = 5
	people        = 6 // who log in at once: with more the server, which hashes one password after the other, would be right to say that it's busy
)

// 200 logins in parallel with 20 rotations. Each login is answered with 200; the key set that is fetched then has the
// token's key, and an API's verifier accepts the token.
func TestLoginsAlongsideRotations(t *testing.T) {
	t.Run("SQLite", testLoginsAlongsideRotations)
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Setenv("JOT_DATABASE", machine.Database(t))
		testLoginsAlongsideRotations(t)
	})
}

func testLoginsAlongsideRotations(t *testing.T) {
	r := newRotating(t)
	for range waves {
		r.wave(t)
		r.revokeRetiring(t)
	}
	if len(r.signed) <= waves {
		t.Errorf("%d keys have signed: no rotation came between the logins", len(r.signed))
	}
	t.Logf("%d keys have signed", len(r.signed))
}

// rotating is a server whose key set may be cached for a moment only, and an API beside it.
type rotating struct {
	installation
	verifier *root.Verifier
	root     administrator
	admin    string // access token

	mu     sync.Mutex
	signed map[string]bool // IDs of keys that have signed what a login got
}

func newRotating(t *testing.T) *rotating {
	t.Helper()
	t.Setenv("JOT_KEYS_MAX_AGE", "100ms")
	t.Setenv("JOT_LOG_IN_NO_THROTTLING", "true")
	site := newInstallation(t)
	site.start(t)
	source, err := jwks.NewSource(site.url+"/.well-known/jwks.json", jwks.Options{MinRefresh: time.Millisecond, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	verifier, err := root.NewVerifier(source, root.VerifierOptions{Issuer: site.url, Audience: "petstore", Type: "at+jwt"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range people {
		site.signUp(t, person(n))
	}
	r := &rotating{installation: site, verifier: verifier, root: bootstrap(t, site.url, site.url, "--data", site.data), signed: make(map[string]bool)}
	r.admin = r.root.logIn(t)
	return r
}

func person(n int) string { return fmt.Sprint("person", n) }

// wave has everybody log in again and again, and the keys rotate meanwhile: each rotation begins after some logins.
func (r *rotating) wave(t *testing.T) {
	t.Helper()
	var everybody sync.WaitGroup
	var begun atomic.Int64
	due := make(chan struct{}, waveRotations)
	for n := range people {
		everybody.Go(func() { // ends with the wave's logins
			for l := begun.Add(1); l <= waveLogins; l = begun.Add(1) {
				if l%(waveLogins/waveRotations) == 1 {
					due <- struct{}{}
				}
				r.checkLogin(t, person(n))
			}
		})
	}
	everybody.Go(func() { // ends with the wave's rotations
		for range waveRotations {
			<-due
			r.rotate(t)
		}
	})
	everybody.Wait()
}

func (r *rotating) checkLogin(t *testing.T, name string) {
	status, answer := post(r.url+"/v1/login", "", map[string]string{"username": name, "password": password})
	if status != http.StatusOK {
		t.Errorf("log in: %d %v", status, answer)
		return
	}
	published := published(t, r.url)
	var token *root.Token
	// The verifier may have waited for a fetch that another login began before the key was published: then it asks
	// again.
	if !eventually(func() (ok bool) {
		var err error
		token, err = r.verifier.Verify(t.Context(), text(answer, "access_token"))
		return err == nil
	}) {
		t.Error("the verifier refuses a token")
		return
	}
	if !published[token.KeyID()] {
		t.Errorf("key %s of a token isn't in the key set %v", token.KeyID(), published)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signed[token.KeyID()] = true
}

// eventually waits until something holds, and says whether it came to that.
func eventually(holds func() bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}

// published are the IDs of the keys in a server's key set, fetched now.
func published(t *testing.T, url string) map[string]bool {
	ids := make(map[string]bool)
	for _, key := range keys(t, url+"/.well-known/jwks.json", "") {
		ids[key.ID] = true
	}
	return ids
}

// key is one of a key set, or of the list for administrators.
type key struct {
	ID             string `json:"kid"`
	Purpose, State string // in the list alone
}

func keys(t *testing.T, url, token string) []key {
	status, answer := send(http.MethodGet, url, token, nil)
	encoded, err := json.Marshal(answer["keys"])
	var list []key
	if err == nil {
		err = json.Unmarshal(encoded, &list)
	}
	if status != http.StatusOK || err != nil || len(list) == 0 {
		t.Errorf("%s: %d %v %v", url, status, answer, err)
	}
	return list
}

// rotate makes the next key sign: at once, or, where that is too young, as soon as it isn't.
func (r *rotating) rotate(t *testing.T) {
	status, rotation := post(r.url+"/admin/v1/keys/rotate", r.admin, struct{}{})
	if status != http.StatusOK {
		t.Errorf("rotate: %d %v", status, rotation)
		return
	}
	want := text(rotation, "active")
	if text(rotation, "due") != "" {
		want = text(rotation, "next")
	}
	if !eventually(func() bool {
		for _, k := range keys(t, r.url+"/admin/v1/keys", r.admin) {
			if k.ID == want {
				return k.State == "active"
			}
		}
		return false
	}) {
		t.Errorf("key %s doesn't get to sign", want)
	}
}

// revokeRetiring revokes the keys that sign no more, with all tokens that they have signed, the administrator's of
// before among them.
func (r *rotating) revokeRetiring(t *testing.T) {
	t.Helper()
	r.admin = r.root.logIn(t)
	for _, k := range keys(t, r.url+"/admin/v1/keys", r.admin) {
		if k.Purpose != "access" || k.State != "retiring" {
			continue
		}
		if status, answer := send(http.MethodDelete, r.url+"/admin/v1/keys/"+url.PathEscape(k.ID), r.admin, nil); status != http.StatusNoContent {
			t.Errorf("revoke a key: %d %v", status, answer)
		}
	}
}
