//go:build unix

package binary

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jot-auth/jot/interop/machine"
)

// maxStaleness is how long the verifier's lease is: the petstore has the usual one.
const maxStaleness = 10 * time.Second

// A verifier that is suspended while a session is revoked, for longer than its lease, lets nobody in on that session
// when it goes on, not even with its first answer. Its clocks go on here; TestSuspensionEndsTheLease of package
// revocation has one that stands still, as a laptop's does.
func TestSuspendedVerifierWakesUpWithoutALease(t *testing.T) {
	t.Parallel()
	petstore, err := machine.Build(t.TempDir(), "examples/petstore/cmd/petstore")
	if err != nil {
		t.Fatal(err)
	}
	site := newInstallation(t)
	site.start(t)
	site.signUp(t, "ada")
	ada := site.logIn(t)
	api := startProcess(t, "listening on", exec.Command(petstore, "-issuer", site.url, "-listen", "127.0.0.1:0", "-feed-credential", filepath.Join(site.data, "feed.credential")))
	_, listening, _ := strings.Cut(strings.TrimSpace(api.stdout), "listening on ")
	call := func() int { return get(t, listening+"/pets/1", ada.access) }
	if !eventually(func() bool { return call() != http.StatusServiceUnavailable }) {
		t.Fatal("the verifier gets no lease")
	}
	if status := call(); status == http.StatusUnauthorized {
		t.Fatalf("before: %d", status)
	}
	signal(t, api, syscall.SIGSTOP)
	if status, answer := post(site.url+"/v1/logout", ada.access, struct{}{}); status != http.StatusNoContent {
		t.Fatalf("log out: %d %v", status, answer)
	}
	time.Sleep(maxStaleness)
	signal(t, api, syscall.SIGCONT)
	for range 100 {
		if status := call(); status != http.StatusServiceUnavailable && status != http.StatusUnauthorized {
			t.Fatalf("awake again, the API answers %d", status)
		}
	}
	if !eventually(func() bool { return call() == http.StatusUnauthorized }) {
		t.Fatal("the verifier gets no lease any more")
	}
}

func signal(t *testing.T, r *running, s os.Signal) {
	t.Helper()
	if err := r.process.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url, token string) (status int) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}
