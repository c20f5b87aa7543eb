//go:build unix

// Package pgtest runs a PostgreSQL of its own for tests: a cluster in a temporary directory, on a free port of
// loopback, that ends with the test binary, however that ends.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	role         = "jot"
	startTimeout = 30 * time.Second
)

// shared is the cluster of the test binary. Its directory and its processes end when the binary does: see keeper.
var shared struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

// Database makes an empty database for one test, in the cluster of the test binary, and returns its connection string.
// Where PostgreSQL isn't installed it skips the test, and fails it under CI=true.
func Database(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.cluster, shared.err = start() })
	if shared.err != nil {
		missing(t, shared.err)
	}
	return shared.cluster.Database(t)
}

// Cluster is a PostgreSQL server.
type Cluster struct {
	dir, binaries string
	port          int
	password      string
	keeper        *keeper
}

// Start runs a cluster for one test alone, which the test may stop. It skips and fails as Database does.
func Start(t testing.TB) *Cluster {
	t.Helper()
	c, err := start()
	if err != nil {
		missing(t, err)
	}
	t.Cleanup(func() {
		c.keeper.stop(false)
		if err := os.RemoveAll(c.dir); err != nil { // of a server that was stopped before
			t.Error(err)
		}
	})
	return c
}

var (
	errMissing   = errors.New("PostgreSQL isn't installed: run .ci/prepare, or install the package postgresql")
	errNoBouncer = errors.New("PgBouncer isn't installed: run .ci/prepare, or install the package pgbouncer")
)

func missing(t testing.TB, err error) {
	t.Helper()
	if (errors.Is(err, errMissing) || errors.Is(err, errNoBouncer)) && os.Getenv("CI") != "true" {
		t.Skipf("NOT TESTED ON POSTGRESQL: %v", err)
	}
	t.Fatal(err)
}

func start() (*Cluster, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return nil, errMissing
	}
	c := &Cluster{binaries: filepath.Dir(found[len(found)-1]), password: rand.Text()}
	if c.dir, err = os.MkdirTemp("", "jot-postgres-"); err != nil {
		return nil, err
	}
	if err := errors.Join(own(c.dir), c.initialize()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	return c, c.Start()
}

// initialize makes the files of the cluster.
func (c *Cluster) initialize() error {
	password := filepath.Join(c.dir, "password")
	if err := errors.Join(os.WriteFile(password, []byte(c.password), 0o600), own(password)); err != nil {
		return err
	}
	command := exec.Command(filepath.Join(c.binaries, "initdb"), "--pgdata", c.data(), "--username", role, "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	unprivileged(command)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	var err error
	c.port, err = freePort()
	return err
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// freePort finds a port below those that a system gives to whoever asks for any: another test's connection would take
// one of these before the server has it, or while it's stopped.
func freePort() (port int, err error) {
	for range 100 {
		port = 20000 + mathrand.N(10000)
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, err
}

// Start starts the server again after Stop, on the same port.
func (c *Cluster) Start() error {
	var err error
	// No fsync: these tests kill processes, not machines.
	c.keeper, err = keep(c.dir, filepath.Join(c.binaries, "postgres"), "-D", c.data(), "-p", fmt.Sprint(c.port), "-h", "127.0.0.1", "-k", "",
		"-c", "fsync=off", "-c", "shared_buffers=32MB", "-c", "max_connections=200", "-c", "timezone=Asia/Tokyo")
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if err = execute(c.url("postgres"), "SELECT 1"); err == nil {
			return nil
		}
		if time.Now().After(deadline) || c.keeper.ended() {
			err = fmt.Errorf("PostgreSQL doesn't start: %w\n%s", err, c.keeper.log())
			c.keeper.stop(false)
			return err
		}
	}
}

// Stop ends the server at once, as a crash does: connections break, and what was committed stays.
func (c *Cluster) Stop() { c.keeper.stop(true) }

func (c *Cluster) url(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.UserPassword(role, c.password), Host: fmt.Sprint("127.0.0.1:", c.port), Path: database}).String()
}

// Database makes an empty database and returns its connection string.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	c.Exec(t, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		if !c.keeper.ended() {
			c.Exec(t, "DROP DATABASE "+name+" WITH (FORCE)")
		}
	})
	return c.url(name)
}

// Exec runs a statement as the cluster's owner.
func (c *Cluster) Exec(t testing.TB, statement string) {
	t.Helper()
	Exec(t, c.url("postgres"), statement)
}

// Exec runs a statement in a database.
func Exec(t testing.TB, database, statement string, args ...any) {
	t.Helper()
	if err := execute(database, statement, args...); err != nil {
		t.Fatal(err)
	}
}

// Value returns the one value that a query finds, as text.
func Value(t testing.TB, database, query string, args ...any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	connection, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(ctx)
	var value any
	if err := connection.QueryRow(ctx, query, args...).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(value)
}

// Hold runs a statement in a transaction that stays open until release, so that others wait for what it locks.
func Hold(t testing.TB, database, statement string) (release func()) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	release = func() { connection.Close(context.Background()) } // which ends the transaction; twice does no harm
	t.Cleanup(release)
	if _, err := connection.Exec(t.Context(), "BEGIN; "+statement); err != nil {
		t.Fatal(err)
	}
	return release
}

func execute(database, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout) // not the test's: it has ended when a database is dropped
	defer cancel()
	connection, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	_, err = connection.Exec(ctx, statement, args...)
	return err
}
