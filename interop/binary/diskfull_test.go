//go:build linux

package binary

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jot-auth/jot/interop/machine"
)

// fullDisk takes the room from a server that runs, and gives it back.
type fullDisk struct {
	fill  func(t *testing.T, r *running)
	empty func(t *testing.T, r *running)
}

// A server whose disk is full refuses what it would have to write, for now, and goes on with all else. Nothing that it
// acknowledged is lost, and it works again when there is room.
func TestDiskFull(t *testing.T) {
	t.Run("files don't grow", func(t *testing.T) {
		t.Parallel()
		prlimit := machine.Need(t, "install util-linux", "prlimit")
		limit := func(size string) func(*testing.T, *running) { // of which a process is told by SIGXFSZ, too
			return func(t *testing.T, r *running) {
				out, err := exec.Command(prlimit, "--pid", fmt.Sprint(r.process.Process.Pid), "--fsize="+size+":").CombinedOutput()
				if err != nil {
					t.Fatalf("prlimit: %v: %s", err, out)
				}
			}
		}
		testDiskFull(t, newInstallation(t), fullDisk{fill: limit("0"), empty: limit("unlimited")})
	})
	t.Run("no space is left on the device", func(t *testing.T) {
		t.Parallel()
		site, disk := newInstallation(t), t.TempDir()
		if err := syscall.Mount("none", disk, "tmpfs", 0, "size=16m,mode=700"); err != nil {
			t.Skipf("NOT TESTED: only root may mount a small disk: %v", err)
		}
		t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
		site.data = filepath.Join(disk, "data")
		ballast := filepath.Join(disk, "ballast")
		testDiskFull(t, site, fullDisk{
			fill: func(t *testing.T, _ *running) {
				if err := os.WriteFile(ballast, make([]byte, 16<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("filling the disk: %v", err)
				}
			},
			empty: func(t *testing.T, _ *running) {
				if err := os.Remove(ballast); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}

func testDiskFull(t *testing.T, site installation, disk fullDisk) {
	server := site.start(t)
	lines := site.logInOften(t, 4)
	before := site.follow(t)
	ended, kept := lines[0], lines[1:]
	if status, answer := post(site.url+"/v1/logout", ended.access, struct{}{}); status != http.StatusNoContent {
		t.Fatalf("log out: %d %v", status, answer)
	}
	disk.fill(t, server)
	for range 1000 { // into what room the files still have
		if status := site.refresh(kept[0], kept[0].latest()); status == http.StatusServiceUnavailable {
			break
		} else if status != http.StatusOK {
			t.Fatalf("refresh: %d", status)
		}
	}
	for path, body := range map[string]any{
		"/v1/login": map[string]string{"username": "ada", "password": password}, "/v1/signup": map[string]string{"username": "bob", "password": password},
		"/v1/refresh": map[string]string{"refresh_token": kept[0].latest()}, "/v1/logout": struct{}{},
	} {
		if status, retryAfter := site.ask(t, http.MethodPost, path, kept[1].access, body); status != http.StatusServiceUnavailable || retryAfter == "" {
			t.Errorf("%s: %d, Retry-After %q, want 503", path, status, retryAfter)
		}
	}
	for path, want := range map[string]int{"/.well-known/jwks.json": 200, "/feed/jwks.json": 200, "/v1/me": 200, "/healthz": 200, "/readyz": 503} {
		if status, _ := site.ask(t, http.MethodGet, path, kept[1].access, nil); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	credential, err := os.ReadFile(filepath.Join(site.data, "feed.credential"))
	if err != nil {
		t.Fatal(err)
	}
	live := "/feed/live?verifier=one-that-comes-later&max_staleness=10000&nonce=" + secret() + "&after=0&log=" + before.reader.State().LogID
	for path, want := range map[string]int{"/feed/snapshot": 200, live: 503} { // nobody waits for a verifier that can't be registered
		if status, _ := site.ask(t, http.MethodGet, path, strings.TrimSpace(string(credential)), nil); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	before.waitForVerdict(t, "before the disk was full", ended, true)
	before.waitForVerdict(t, "before the disk was full", kept[1], false)

	disk.empty(t, server)
	if !eventually(func() bool { return site.refresh(kept[0], kept[0].latest()) == http.StatusOK }) {
		t.Error("with room again, no token is refreshed")
	}
	again := site.logIn(t)
	for range 2 {
		for n, l := range append(kept, again) {
			if status := site.refresh(l, l.latest()); status != http.StatusOK {
				t.Errorf("session %d: %d", n, status)
			}
		}
		if status := site.refresh(ended, ended.latest()); status != http.StatusUnauthorized {
			t.Errorf("the session that was ended: %d", status)
		}
		server.kill(t)
		server = site.start(t)
	}
	before.waitForVerdict(t, "before the disk was full", ended, true)
	before.waitForSequence(t, 1)
}

// ask sends a request and returns what its answer says beside the body.
func (i installation) ask(t *testing.T, method, path, token string, body any) (status int, retryAfter string) {
	t.Helper()
	var encoded []byte
	if body != nil {
		encoded, _ = json.Marshal(body)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, i.url+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("Retry-After")
}
