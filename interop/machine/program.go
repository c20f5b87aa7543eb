package machine

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Need finds a program by one of its names, which may be patterns of paths. Where there is none, how says what to install, and the test is skipped, but
// not in CI.
func Need(t *testing.T, how string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		if paths, _ := filepath.Glob(name); len(paths) > 0 {
			return paths[len(paths)-1]
		}
	}
	Missing(t, names[0]+" is missing: "+how)
	return ""
}

// Missing fails the test in CI, and skips it elsewhere.
func Missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip("NOT TESTED: " + what)
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

// Await calls a function until it succeeds, for a minute.
func Await(t *testing.T, what string, try func() error) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
