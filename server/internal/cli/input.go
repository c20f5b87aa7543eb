package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

// Bounds of what is read, in bytes.
const (
	maxInput   = 1 << 20  // a token, a key file, a claims file
	maxPayload = 16 << 20 // what is signed or encrypted, and not claims
	maxMessage = 32 << 20 // the same, signed or encrypted
)

const maxFileName = 255 // bytes between two slashes; a path as long is rare

// errInputTooLarge is an input of more bytes than its bound.
var errInputTooLarge = errors.New("is larger than")

// readInput reads a file, or standard input for "-". What names the content: "a key", "claims".
func readInput(cmd *cobra.Command, name, what string, limit int) ([]byte, error) {
	if name == "-" {
		return readStandardInput(cmd, what, limit)
	}
	file, err := os.Open(name)
	if err != nil && looksLikeContent(name) {
		return nil, usagef("%s takes a file: pipe %s to -", cmd.Name(), what) // and doesn't repeat what may be a secret
	}
	if err != nil {
		return nil, fmt.Errorf("can't read %s: %w", what, err)
	}
	defer file.Close()
	return readBounded(cmd.Context(), file, name, limit)
}

// looksLikeContent reports whether the name of a file is what should be in it: a key, claims or a message, which begin
// as no file's name does or are longer than one can be.
func looksLikeContent(name string) bool {
	return looksLikeKey([]byte(name)) || strings.HasPrefix(name, "eyJ") || len(name) > maxFileName
}

// readStandardInput reads standard input to its end, and tells a person at a terminal that it waits.
func readStandardInput(cmd *cobra.Command, what string, limit int) ([]byte, error) {
	if file, ok := cmd.InOrStdin().(*os.File); ok && isTerminal(file) {
		say(cmd, "reading %s from the terminal: paste it, then press Enter and Ctrl-D", what)
	}
	return readBounded(cmd.Context(), cmd.InOrStdin(), "standard input", limit)
}

// readBounded reads a stream to its end. A read can't be interrupted, so it has a goroutine of its own, which ends with
// the stream or with the process: a command whose context is done returns and exits.
func readBounded(ctx context.Context, stream io.Reader, name string, limit int) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(stream, int64(limit)+1))
		done <- result{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("interrupted while reading %s", name)
	case r := <-done:
		if r.err != nil {
			return nil, fmt.Errorf("can't read %s: %w", name, r.err)
		}
		if len(r.data) > limit {
			return nil, fmt.Errorf("%s %w %d MiB", name, errInputTooLarge, limit>>20)
		}
		return r.data, nil
	}
}

// readToken returns the token that a command is about: its argument, standard input for "-", or JOT_TOKEN. The one
// line feed that ends a line of input isn't part of the token; nothing else is forgiven. A token beyond what is read at
// all is a jot.ErrTooLarge.
func readToken(cmd *cobra.Command, args []string, limit int) (string, error) {
	if len(args) == 0 {
		return os.Getenv("JOT_TOKEN"), nil
	}
	if args[0] != "-" {
		return args[0], notFile(cmd, args[0])
	}
	data, err := readStandardInput(cmd, "a token", limit)
	if errors.Is(err, errInputTooLarge) {
		return "", fmt.Errorf("%w: %w", jot.ErrTooLarge, err)
	}
	if err != nil {
		return "", err
	}
	return string(trimLine(data)), nil
}

// trimLine cuts off the one line feed that ends a line.
func trimLine(data []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
}

// notFile refuses the name of a file where a token belongs.
func notFile(cmd *cobra.Command, arg string) error {
	if info, err := os.Stat(arg); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return usagef("%s is a file, not a token: read it from standard input, as in '%s - < %[1]s'", arg, cmd.CommandPath())
}

// oneToken accepts the arguments of a command that is about one token.
func oneToken(_ *cobra.Command, args []string) error {
	switch {
	case len(args) > 1:
		return usagef("one token at a time, not %d arguments", len(args))
	case len(args) == 0 && os.Getenv("JOT_TOKEN") == "":
		return usagef("no token: give - to read it from standard input, or set JOT_TOKEN")
	case len(args) == 1 && args[0] == "":
		return usagef("the token is empty: give - to read it from standard input")
	}
	return nil
}

// noArguments refuses arguments that a command doesn't take.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("takes flags only, no argument %.40q", args[0])
	}
	return nil
}

// readOnce refuses standard input for two things at once.
func readOnce(names ...string) error {
	count := 0
	for _, name := range names {
		if name == "-" {
			count++
		}
	}
	if count > 1 {
		return usagef("standard input (-) can be read only once: give the other as a file")
	}
	return nil
}
