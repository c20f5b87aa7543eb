package cli

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// TestInterruptedRead ends a command that waits for input which never comes.
func TestInterruptedRead(t *testing.T) {
	stdin, writer := io.Pipe()
	defer writer.Close() // ends the read that the command left behind
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := Run(ctx, []string{"inspect", "-"}, stdin, &stdout, &stderr)
	if code != exitFailure || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted while reading standard input") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}
