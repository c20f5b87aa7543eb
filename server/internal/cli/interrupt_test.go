package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
)

// TestNobodyAnswers: where a terminal's input ends at a question, the error says so.
func TestNobodyAnswers(t *testing.T) {
	in, writer, err := os.Pipe()
	check(t, err)
	defer in.Close()
	check(t, writer.Close())
	out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	check(t, err)
	defer out.Close()
	if _, err := askLine(t.Context(), in, out, "Delete it? [y/N] "); err == nil || err.Error() != "nobody answered" {
		t.Error(err)
	}
}

// TestReaderThatLeft: of an output that nobody reads to its end there is nothing to say.
func TestReaderThatLeft(t *testing.T) {
	reader, stdout, err := os.Pipe()
	check(t, err)
	defer stdout.Close()
	check(t, reader.Close())
	var stderr bytes.Buffer
	if code := Run(t.Context(), []string{"man"}, nil, stdout, &stderr); code != exitFailure || stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}

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
