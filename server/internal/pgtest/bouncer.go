//go:build unix

package pgtest

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// bouncerSettings are PgBouncer's. Few connections to PostgreSQL, and each transaction on another one, so that whoever
// relies on a session is found out.
const bouncerSettings = `[databases]
* = host=127.0.0.1 port=%[1]s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %[2]d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = users
pool_mode = %[3]s
default_pool_size = 6
server_round_robin = 1
server_login_retry = 1
max_client_conn = 500
`

// Bouncer runs a PgBouncer before a database until the test ends, in a pool mode and with more settings, and returns
// the connection string through it. Where it isn't installed it skips and fails as Database does.
func Bouncer(t testing.TB, database, mode string, settings ...string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; exec.Command(program, "--version").Run() != nil {
			missing(t, errNoBouncer)
		}
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	dir, err := os.MkdirTemp("", "jot-pgbouncer-") // t.TempDir is nobody else's, and PgBouncer doesn't run as root either
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		".": "", "users": fmt.Sprintf("%q %q\n", u.User.Username(), password),
		"pgbouncer.ini": fmt.Sprintf(bouncerSettings, u.Port(), port, mode) + strings.Join(settings, "\n") + "\n",
	} {
		file := filepath.Join(dir, name)
		if name != "." {
			err = os.WriteFile(file, []byte(text), 0o600)
		}
		if err == nil {
			err = own(file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	u.Host = fmt.Sprint("127.0.0.1:", port)
	k, err := keep(dir, program, "pgbouncer.ini")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.stop(true) })
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if err = execute(u.String(), "SELECT 1"); err == nil {
			return u.String()
		}
		if time.Now().After(deadline) || k.ended() {
			t.Fatalf("PgBouncer doesn't start: %v\n%s", err, k.log())
		}
	}
}
