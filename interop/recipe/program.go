package recipe

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Need finds a program. Where there is none the test is skipped, but not in CI.
func Need(t *testing.T, program, how string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		Missing(t, program+" is missing: "+how)
	}
	return path
}

// Missing fails the test in CI, and skips it elsewhere.
func Missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// File writes a file for the time of the test.
func File(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// FreeAddress is one on loopback that nobody listens on now.
func FreeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Serve runs a program until the test ends, and returns when it listens on an address. It gets environment (NAME=value) beside ours.
func Serve(t *testing.T, address string, environment []string, argv ...string) {
	t.Helper()
	program := exec.Command(argv[0], argv[1:]...)
	program.Env = append(os.Environ(), environment...)
	program.Stdout, program.Stderr = t.Output(), t.Output()
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // ends with the program
		defer close(ended)
		program.Wait()
	}()
	t.Cleanup(func() {
		program.Process.Kill()
		<-ended
	})
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if connection, err := net.Dial("tcp", address); err == nil {
			connection.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended before it listened: %v", argv[0], program.ProcessState)
		default:
		}
	}
	t.Fatalf("%s doesn't listen on %s", argv[0], address)
}
