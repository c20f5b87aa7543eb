//go:build unix

package programs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const clusterRole = "jot"

// Cluster is a PostgreSQL of its own in a temporary directory, with the settings that it comes with: what was committed
// is on the disk.
type Cluster struct {
	dir      string
	programs string
	port     int
	password string
	keeper   *exec.Cmd
	hold     io.Closer
	pid      int // of the server, whose children are the connections
}

// keeping runs a server until standard input ends, however the program ends that holds its other end.
const keeping = `"$@" </dev/null & server=$!; cat >/dev/null; kill -INT $server; wait $server`

// StartCluster makes the files of a cluster and starts it on loopback.
func StartCluster(ctx context.Context) (c *Cluster, err error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return nil, errors.New("PostgreSQL isn't installed below /usr/lib/postgresql: install the package postgresql, or say -database sqlite")
	}
	c = &Cluster{programs: filepath.Dir(found[len(found)-1]), password: rand.Text()}
	if c.dir, err = os.MkdirTemp("", "jot-postgres-"); err != nil {
		return nil, err
	}
	if err = c.initialize(ctx); err == nil {
		err = c.serve(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) initialize(ctx context.Context) error {
	password := filepath.Join(c.dir, "password")
	if err := errors.Join(os.WriteFile(password, []byte(c.password), 0o600), giveAway(c.dir), giveAway(password)); err != nil {
		return err
	}
	command := c.command(ctx, filepath.Join(c.programs, "initdb"), "--pgdata", c.data(), "--username", clusterRole, "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.port = listener.Addr().(*net.TCPAddr).Port
	return listener.Close()
}

// serve returns when connections are accepted, which the last line of postmaster.pid says.
func (c *Cluster) serve(ctx context.Context) error {
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	c.keeper = c.command(context.WithoutCancel(ctx), "/bin/sh", "-c", keeping, "keeper",
		filepath.Join(c.programs, "postgres"), "-D", c.data(), "-p", fmt.Sprint(c.port), "-h", "127.0.0.1", "-k", "")
	c.keeper.Stdout, c.keeper.Stderr = log, log
	if c.hold, err = c.keeper.StdinPipe(); err != nil {
		return err
	}
	if err := c.keeper.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		state, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
		if lines := strings.Fields(string(state)); err == nil && len(lines) > 0 && lines[len(lines)-1] == "ready" {
			c.pid, err = strconv.Atoi(lines[0])
			return err
		}
	}
	text, _ := os.ReadFile(log.Name())
	return fmt.Errorf("PostgreSQL doesn't start: %s", text)
}

// PID is the number of the server's process, whose children are the connections.
func (c *Cluster) PID() int { return c.pid }

// Stop ends the server, and removes its files.
func (c *Cluster) Stop() error {
	if c.hold != nil {
		c.hold.Close()
		c.keeper.Wait() // says that it was interrupted
	}
	return os.RemoveAll(c.dir)
}

// Database makes an empty database and returns its connection string.
func (c *Cluster) Database(ctx context.Context, name string) (string, error) {
	command := c.command(ctx, filepath.Join(c.programs, "createdb"), "-h", "127.0.0.1", "-p", fmt.Sprint(c.port), "-U", clusterRole, name)
	command.Env = append(os.Environ(), "PGPASSWORD="+c.password)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("createdb: %w: %s", err, out)
	}
	return (&url.URL{Scheme: "postgres", User: url.UserPassword(clusterRole, c.password), Host: fmt.Sprint("127.0.0.1:", c.port), Path: name}).String(), nil
}

// command runs in the cluster's directory, as another user than root, as whom PostgreSQL refuses to run.
func (c *Cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = c.dir
	if uid, gid, root := substitute(); root {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	return command
}

// giveAway gives a file to the user of command.
func giveAway(path string) error {
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
		if found, err := user.Lookup(name); err == nil {
			uid, err1 := strconv.Atoi(found.Uid)
			gid, err2 := strconv.Atoi(found.Gid)
			return uid, gid, err1 == nil && err2 == nil
		}
	}
	return 0, 0, false
}
