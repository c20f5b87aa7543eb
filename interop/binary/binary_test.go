// Package binary runs the command as its user does: built, started, killed, and by the lines that the README shows.
package binary

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/interop/machine"
)

// command is the path of the binary that TestMain builds.
var command string

// patience is how long a test waits for what must happen, on a machine that others keep busy.
const patience = 2 * time.Minute

func TestMain(m *testing.M) { os.Exit(machine.RunWithJot(m, &command)) }

// jot runs the command to its end.
func jot(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, talk bytes.Buffer
	process := exec.CommandContext(ctx, command, args...)
	process.Stdout, process.Stderr = &out, &talk
	process.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	err := process.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), talk.String(), process.ProcessState.ExitCode()
}

// running is a server that was started in the background.
type running struct {
	process *exec.Cmd
	stdout  string // up to the line that tells of its readiness
}

// start runs the command until a line of its output contains ready. The test ends it.
func start(t *testing.T, ready string, args ...string) *running {
	t.Helper()
	return startProcess(t, ready, exec.Command(command, args...))
}

// startProcess is start for any program.
func startProcess(t *testing.T, ready string, process *exec.Cmd) *running {
	t.Helper()
	args := process.Args[1:]
	pipe, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var talk bytes.Buffer
	process.Stderr = &talk
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	r := &running{process: process}
	t.Cleanup(func() {
		r.kill(t)
		if t.Failed() {
			t.Logf("the log of %s %s:\n%s", filepath.Base(process.Path), strings.Join(args, " "), talk.String())
		}
	})
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		r.stdout += lines.Text() + "\n"
		if strings.Contains(lines.Text(), ready) {
			go io.Copy(io.Discard, pipe) // ends with the process
			return r
		}
	}
	r.kill(t)
	t.Fatalf("%s %s ended without saying %q:\n%s%s", filepath.Base(process.Path), strings.Join(args, " "), ready, r.stdout, talk.String())
	return nil
}

// kill is SIGKILL: the process gets no chance to finish anything.
func (r *running) kill(t *testing.T) {
	t.Helper()
	if r.process.ProcessState != nil {
		return
	}
	if err := r.process.Process.Kill(); err != nil {
		t.Error(err)
	}
	r.process.Wait() // says that it was killed
}

// stop is Ctrl-C; the process must end by itself, and in good order.
func (r *running) stop(t *testing.T) {
	t.Helper()
	if err := r.process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.process.Wait() }() // ends with the process
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("after Ctrl-C: %v", err)
		}
	case <-time.After(patience):
		t.Error("Ctrl-C doesn't end it")
		r.process.Process.Kill()
		<-ended
	}
}

var client = &http.Client{Timeout: patience}

// post sends JSON. status 0 means that no answer came.
func post(url, token string, body any) (status int, answer map[string]any) {
	return send(http.MethodPost, url, token, body)
}

// send is post for any method; body nil sends none.
func send(method, url, token string, body any) (status int, answer map[string]any) {
	return sendBy(client, method, url, token, body)
}

func sendBy(client *http.Client, method, url, token string, body any) (status int, answer map[string]any) {
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return 0, nil
		}
	}
	request, err := http.NewRequest(method, url, bytes.NewReader(encoded))
	if err != nil {
		return 0, nil
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil
	}
	json.Unmarshal(data, &answer) // an answer without a body has no members
	return response.StatusCode, answer
}

func text(answer map[string]any, name string) string {
	value, _ := answer[name].(string)
	return value
}
