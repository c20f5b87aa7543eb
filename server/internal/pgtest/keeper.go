//go:build unix

package pgtest

import (
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// keeping runs a server until standard input ends, which it does with the process that holds the other end, however
// that ends; SIGQUIT is PostgreSQL's immediate shutdown, and SIGTERM that of a PgBouncer which knows no SIGQUIT. The
// directory goes with the server, unless a line said that it's needed again.
const keeping = `
"$@" </dev/null & server=$!
while read -r line; do again=$line; done
kill -QUIT $server 2>/dev/null
kill -TERM $server 2>/dev/null
wait $server
[ -n "$again" ] || rm -rf "$PWD"
`

// keeper is a shell that stops a server when this process ends or says so.
type keeper struct {
	dir  string
	hold io.WriteCloser
	done chan struct{}
}

func keep(dir string, server ...string) (*keeper, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := exec.Command("/bin/sh", append([]string{"-c", keeping, "keeper"}, server...)...)
	command.Stdout, command.Stderr, command.Dir = log, log, dir
	unprivileged(command)
	k := &keeper{dir: dir, done: make(chan struct{})}
	if k.hold, err = command.StdinPipe(); err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	go func() { // ends with the shell
		command.Wait()
		close(k.done)
	}()
	return k, nil
}

func (k *keeper) ended() bool {
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// stop ends the server, and its directory too unless that is needed again.
func (k *keeper) stop(again bool) {
	if again {
		io.WriteString(k.hold, "again\n")
	}
	k.hold.Close()
	<-k.done
}

func (k *keeper) log() []byte {
	text, _ := os.ReadFile(filepath.Join(k.dir, "log"))
	return text
}

// unprivileged lets a command run as another user than root, which PostgreSQL refuses to run as.
func unprivileged(command *exec.Cmd) {
	if uid, gid, root := substitute(); root {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
}

// own gives a file to the user of unprivileged.
func own(path string) error {
	if uid, gid, root := substitute(); root {
		return os.Chown(path, uid, gid)
	}
	return nil
}

func substitute() (uid, gid int, root bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, err1 := strconv.Atoi(u.Uid)
			gid, err2 := strconv.Atoi(u.Gid)
			return uid, gid, err1 == nil && err2 == nil
		}
	}
	return 0, 0, false
}
