package machine

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Need finds a program by one of its names, which may be patterns of paths. Where there is none, how says what to
// install, and the test is skipped, but not in CI.
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

// Program is one that runs.
type Program struct {
	process *os.Process
	ended   chan struct{} // closed then
}

// Serve runs a program until the test ends, and returns when it listens on an address. It gets environment (NAME=value)
// beside ours.
func Serve(t *testing.T, address string, environment []string, argv ...string) Program {
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
			return Program{program.Process, ended}
		}
		select {
		case <-ended:
			t.Fatalf("%s ended before it listened: %v", argv[0], program.ProcessState)
		default:
		}
	}
	t.Fatalf("%s doesn't listen on %s", argv[0], address)
	return Program{}
}

// Signal sends a signal, if the program hasn't ended.
func (p Program) Signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
}

// Stop asks the program to end, and returns when it has.
func (p Program) Stop(t *testing.T) {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		t.Error("the program doesn't end")
	}
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
