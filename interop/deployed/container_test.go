// Package deployed runs what deploy/ says, without an engine for containers: the image's files and command, and the
// manifest's pods with their volumes, variables and probes.
package deployed

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// repository is the root of the repository.
const repository = "../.."

// entering makes a root directory of its own for a program: read-only, with mounts in it. Its arguments are the root, a
// user and a group, the mounts as three each (what, where, ro or rw), "--" and the command.
const entering = `set -e
root=$1 user=$2 group=$3
shift 3
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
	mount --bind "$1" "$root$2"
	[ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
	shift 3
done
shift
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user:$group" --groups="$group" "$root" "$@"
`

// container is a program in a root directory of its own, as an engine would run it.
type container struct {
	root     string // of the image's files, which nobody changes
	uid, gid int64
	env      map[string]string
	mounts   []mount
}

type mount struct {
	from, path string
	readOnly   bool
}

// needContainers skips a test where the system doesn't let us make root directories, which no installed program would
// mend.
func needContainers(t *testing.T) {
	t.Helper()
	const try = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec chroot --userspec=65532:65532 --groups=65532 / true`
	if out, err := exec.Command("unshare", "--mount", "--", "/bin/sh", "-c", try, "try", t.TempDir()).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: what deploy/ says in root directories of its own, which only root may mount: %v: %s", err, out)
	}
}

// command is one in the container. Nothing of our own environment gets in.
func (c container) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if err := os.Chmod(c.root, 0o755); err != nil {
		t.Fatal(err)
	}
	words := []string{"--mount", "--", "/bin/sh", "-c", entering, "enter", c.root, fmt.Sprint(c.uid), fmt.Sprint(c.gid)}
	for _, m := range c.mounts {
		makeTarget(t, m.from, c.root+m.path)
		words = append(words, m.from, m.path, map[bool]string{true: "ro", false: "rw"}[m.readOnly])
	}
	command := exec.CommandContext(t.Context(), "unshare", append(append(words, "--"), args...)...)
	command.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	for _, name := range slices.Sorted(maps.Keys(c.env)) {
		command.Env = append(command.Env, name+"="+c.env[name])
	}
	return command
}

// makeTarget makes what is mounted over, as engines do.
func makeTarget(t *testing.T, from, path string) {
	t.Helper()
	info, err := os.Stat(from)
	if err == nil && info.IsDir() {
		err = os.MkdirAll(path, 0o755)
	} else if err == nil {
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			err = os.WriteFile(path, nil, 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// process is a server in a container.
type process struct {
	*exec.Cmd
	t     *testing.T
	up    chan struct{} // closed when it says that it serves
	ended chan error
	log   bytes.Buffer // to be read when it has ended
}

// start runs a server until the test ends.
func (c container) start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: c.command(t, args...), t: t, up: make(chan struct{}), ended: make(chan error, 1)}
	p.Cancel = func() error { return p.Process.Signal(syscall.SIGTERM) }
	p.WaitDelay = patience
	p.Stderr = &p.log
	stdout, err := p.StdoutPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "jot serves ") {
				close(p.up)
			}
		}
		p.ended <- p.Wait()
	}()
	return p
}

// isUp waits until the server says so.
func (p *process) isUp() {
	p.t.Helper()
	select {
	case <-p.up:
	case err := <-p.ended:
		p.t.Fatalf("it doesn't start: %v\n%s", err, &p.log)
	case <-time.After(patience):
		p.t.Fatal("it doesn't start")
	}
}

// slow is what a server says whose machine has too much to do, of which deploy/ isn't guilty.
var slow = []string{context.DeadlineExceeded.Error(), issuer.ErrBusy.Error()}

// end tells the server to end as engines do, and wants it to end well, and to have warned of nothing but what is
// expected.
func (p *process) end(expected ...string) {
	p.t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("it ended with %v\n%s", err, &p.log)
		}
	case <-time.After(patience):
		p.t.Fatal("it doesn't end")
	}
	for line := range strings.Lines(p.log.String()) {
		known := slices.ContainsFunc(slices.Concat(expected, slow), func(text string) bool { return strings.Contains(line, text) })
		if !known && (strings.Contains(line, "warning:") || strings.Contains(line, `"WARN"`) || strings.Contains(line, `"ERROR"`)) {
			p.t.Errorf("it says: %s", line)
		}
	}
}

// address is one of this machine's own that nobody else uses, so that the ports can be those of the files.
func address() string {
	return fmt.Sprintf("127.%d.%d.%d", 2+rand.N(250), rand.N(256), 1+rand.N(250))
}

// status asks until there is an answer.
func status(t *testing.T, url string) int {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
			return response.StatusCode
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// becomes waits for a status.
func becomes(t *testing.T, url string, want int) {
	t.Helper()
	got := 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = status(t, url); got == want {
			return
		}
	}
	t.Errorf("%s: %d, want %d", url, got, want)
}
