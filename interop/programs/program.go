// Package programs runs what is measured beside the program that measures: the built command, and a PostgreSQL, with
// the accounts that the operating system keeps of them.
package programs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// No program takes so long to start or to end.
const (
	startTimeout = time.Minute
	stopTimeout  = 15 * time.Second
)

// Program is a program under test that serves HTTP on loopback.
type Program struct {
	Base    string    // http://127.0.0.1:PORT
	Started time.Time // when its process was

	command *exec.Cmd
	stdin   io.Closer // programs that are ours end with it, should this one die
	log     string    // a file
}

// CheckBuilt reports what to do where the command that the flag -binary names isn't there.
func CheckBuilt(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%w: build it with make build, or name it with -binary", err)
	}
	return nil
}

// Start runs a program until it says, at the end of a line, "on http://127.0.0.1:PORT". What it logs goes into a file,
// as it would in production.
func Start(command *exec.Cmd, log string) (*Program, error) {
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = stopTimeout
	stderr, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer stderr.Close() // the program has its own
	command.Stderr = stderr
	stdin, err1 := command.StdinPipe()
	stdout, err2 := command.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	p := &Program{command: command, stdin: stdin, Started: time.Now(), log: log}
	if err := command.Start(); err != nil {
		return nil, err
	}
	slow := time.AfterFunc(startTimeout, func() { command.Process.Kill() })
	defer slow.Stop()
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if _, base, found := strings.Cut(lines.Text(), " on http://"); found {
			p.Base = "http://" + base
			go io.Copy(io.Discard, stdout) // ends with the program
			return p, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s didn't start", command.Path), command.Wait(), p.Tail())
}

// Stop ends the program in good order.
func (p *Program) Stop() error {
	p.stdin.Close()
	if err := p.command.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	slow := time.AfterFunc(stopTimeout, func() { p.command.Process.Kill() })
	defer slow.Stop()
	return p.command.Wait()
}

// PID is the number of its process.
func (p *Program) PID() int { return p.command.Process.Pid }

// Tail is the end of the log, as an error.
func (p *Program) Tail() error {
	const size = 2 << 10
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err
	}
	return fmt.Errorf("its log ends with: %s", text[max(0, len(text)-size):])
}
