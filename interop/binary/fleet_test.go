//go:build unix

package binary

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	root "github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
)

const (
	replicas    = 3
	fleetIssuer = "http://127.0.0.1" // where the balancer would listen, if it were a program
)

// fleet is several servers, each a process of its own, over one database, and what reaches them through a balancer.
type fleet struct {
	*testing.T
	balancer
	client     *http.Client // goes by the balancer
	dir        string
	credential string // of the feed
	ships      [replicas]ship

	admin        string // access token
	verifier     *root.Verifier
	follower     *follower     // of the verifier
	acknowledged chan struct{} // an element for each change that was
}

// ship is one server.
type ship struct {
	*running
	address string
}

func (s ship) url() string { return "http://" + s.address }

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{T: t, dir: t.TempDir(), credential: secret()}
	f.client = &http.Client{Transport: &f.balancer, Timeout: time.Minute}
	for name, value := range map[string]string{
		"JOT_DATABASE": machine.Database(t), "JOT_KEK": secret(), "JOT_FEED_CREDENTIAL": f.credential, "JOT_KEYS_MAX_AGE": "1s",
	} {
		t.Setenv(name, value)
	}
	for n := range f.ships {
		f.launch(n)
	}
	f.admin = bootstrap(t, f.ships[0].url(), fleetIssuer, "--data", f.data(0)).logIn(t)
	f.follower = newFollower(t, fleetIssuer+"/feed/jwks.json", f.readerOptions(fleetIssuer, f.client))
	f.verifier = f.newVerifier(fleetIssuer, f.client, f.follower)
	return f
}

func secret() string {
	random := make([]byte, 32)
	rand.Read(random)
	return base64.RawURLEncoding.EncodeToString(random)
}

// data is where a server keeps what it has for itself; the same one finds its witness there when it comes back.
func (f *fleet) data(n int) string { return filepath.Join(f.dir, fmt.Sprint("data", n)) }

// launch starts a server, on a port that is free.
func (f *fleet) launch(n int) {
	f.Helper()
	process := start(f.T, "jot serves", "serve", "--issuer", fleetIssuer, "--listen", "127.0.0.1:0", "--admin-listen", "", "--data", f.data(n), "--resource", "petstore=pets:read")
	_, address, found := strings.Cut(strings.TrimSpace(process.stdout), " on http://")
	if !found {
		f.Fatalf("no address in %q", process.stdout)
	}
	f.ships[n] = ship{process, address}
	f.add(address)
}

// kill ends a server with SIGKILL, whatever it's at.
func (f *fleet) kill(n int) {
	f.Helper()
	f.ships[n].kill(f.T)
	f.remove(f.ships[n].address)
}

// await returns when so many more changes were acknowledged, or when all is done.
func (f *fleet) await(changes int, done <-chan struct{}) {
	for range changes {
		select {
		case <-f.acknowledged:
		case <-done:
			return
		}
	}
}

// call sends a request to a server, and to another one as long as no answer comes. again says that it may have been
// carried out before.
func (f *fleet) call(method, path, token string, body any) (status int, answer map[string]any, again bool) {
	before := f.lost.Load()
	for n := range 100 {
		status, answer = sendBy(f.client, method, fleetIssuer+path, token, body)
		if status != 0 && status != http.StatusServiceUnavailable {
			return status, answer, n > 0 || f.lost.Load() > before
		}
		pause()
	}
	return status, answer, true
}

// readerOptions are those of an API that follows the feed of a server, or by the balancer.
func (f *fleet) readerOptions(url string, client *http.Client) revocation.ReaderOptions {
	return revocation.ReaderOptions{URL: url + "/feed", Issuer: fleetIssuer, Credential: f.credential, Client: client}
}

func (f *fleet) newVerifier(url string, client *http.Client, follower *follower) *root.Verifier {
	f.Helper()
	source, err := jwks.NewSource(url+"/.well-known/jwks.json", jwks.Options{Client: client, MinRefresh: time.Millisecond})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { source.Close() })
	verifier, err := root.NewVerifier(source, root.VerifierOptions{Issuer: fleetIssuer, Audience: "petstore", Type: "at+jwt", Revocation: follower.reader})
	if err != nil {
		f.Fatal(err)
	}
	return verifier
}
