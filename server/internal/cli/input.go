package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

// maxInput bounds everything that is read: a token, a key file, a claims file.
const maxInput = 1 << 20

// errInputTooLarge is an input of more than maxInput bytes.
var errInputTooLarge = errors.New("is larger than 1 MiB, which no token, key or claims file is")

// readInput reads a file, or standard input for "-". What names the content: "a key", "claims".
func readInput(cmd *cobra.Command, name, what string) ([]byte, error) {
	if name == "-" {
		return readStandardInput(cmd, what)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("can't read %s: %w", what, err)
	}
	defer file.Close()
	return readBounded(cmd.Context(), file, name)
}

// readStandardInput reads standard input to its end, and tells a person at a terminal that it waits.
func readStandardInput(cmd *cobra.Command, what string) ([]byte, error) {
	if file, ok := cmd.InOrStdin().(*os.File); ok && isTerminal(file) {
		say(cmd, "reading %s from the terminal: paste it, then press Enter and Ctrl-D", what)
	}
	return readBounded(cmd.Context(), cmd.InOrStdin(), "standard input")
}

// readBounded reads a stream to its end. A read can't be interrupted, so it has a goroutine of its own, which ends with the
// stream or with the process: a command whose context is done returns and exits.
func readBounded(ctx context.Context, stream io.Reader, name string) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(stream, maxInput+1))
		done <- result{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("interrupted while reading %s", name)
	case r := <-done:
		if r.err != nil {
			return nil, fmt.Errorf("can't read %s: %w", name, r.err)
		}
		if len(r.data) > maxInput {
			return nil, fmt.Errorf("%s %w", name, errInputTooLarge)
		}
		return r.data, nil
	}
}

// readToken returns the token that a command is about: its argument, standard input for "-", or JOT_TOKEN. The one
// line feed that ends a line of input isn't part of the token; nothing else is forgiven. A token beyond what is read at
// all is a jot.ErrTooLarge.
func readToken(cmd *cobra.Command, args []string) (string, error) {
	if len(args) == 0 {
		return os.Getenv("JOT_TOKEN"), nil
	}
	if args[0] != "-" {
		return args[0], nil
	}
	data, err := readStandardInput(cmd, "a token")
	if errors.Is(err, errInputTooLarge) {
		return "", fmt.Errorf("%w: %w", jot.ErrTooLarge, err)
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimSuffix(string(data), "\n")
	return strings.TrimSuffix(token, "\r"), nil
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
