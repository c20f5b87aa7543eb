// Package cli is the command line of jot, one file a command.
//
// Data goes to standard output, talk to standard error. Tokens and keys come from files, the environment or standard
// input, so that none has to stand where other users of the machine can read it. Whatever a token or a key says is
// escaped before it reaches a terminal.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"
)

// Run runs one command and returns its exit code: 0 for success, 1 for an error, 2 for a wrong command line, 3 for a
// token or message that is refused or broken, 5 for a token that has expired. The arguments don't include the program's
// name. Cancelling the context ends the command.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(separateDashedHashes(root, inspectBareToken(args)))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return exitCode(cmd, err)
}

// printLine writes data and a line feed to standard output; a full disk or a closed pipe is an error.
func printLine(cmd *cobra.Command, data []byte) error {
	_, err := cmd.OutOrStdout().Write(append(bytes.Clone(data), '\n'))
	return err
}

// printObject prints a value as JSON on one line.
func printObject(cmd *cobra.Command, v any) error {
	text, err := encodeJSON(v)
	if err != nil {
		return err
	}
	return printLine(cmd, printableJSON(text))
}

// encodeJSON encodes without the escapes that only a web page needs.
func encodeJSON(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}
