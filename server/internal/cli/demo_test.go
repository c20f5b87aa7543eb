package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// TestDemoKeep pastes the lines with which a kept demo says how to go on.
func TestDemoKeep(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	talk, stderr := io.Pipe()
	var stdout bytes.Buffer
	done := make(chan int, 1)
	go func() { // ends with the context
		code := Run(ctx, []string{"demo", "--keep"}, strings.NewReader(""), &stdout, stderr)
		stderr.Close()
		done <- code
	}()
	var pasted strings.Builder
	lines := bufio.NewScanner(talk)
	for pasting := false; lines.Scan(); {
		if pasting {
			pasted.WriteString(lines.Text() + "\n")
		}
		pasting = pasting || strings.HasPrefix(lines.Text(), "Paste this")
		if strings.Contains(lines.Text(), "/pets/insights") {
			break
		}
	}
	go io.Copy(io.Discard, talk) // ends with the command
	out, err := exec.CommandContext(ctx, "sh", "-euc", pasted.String()).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte(`"name"`)) || !bytes.Contains(out, []byte(`"petsByOwner"`)) {
		t.Errorf("%v, the pasted lines print:\n%s\n%s", err, out, pasted.String())
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d\n%s", code, stdout.String())
	}
}
