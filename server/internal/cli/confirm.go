package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// confirm asks a person whether to do what can't be undone; elsewhere --yes has to be given.
func confirm(cmd *cobra.Command, yes bool, format string, args ...any) error {
	if yes {
		return nil
	}
	if file, ok := cmd.InOrStdin().(*os.File); !ok || !isTerminal(file) {
		return usagef("this asks first, and there is nobody to ask: give --yes")
	}
	in, out, err := openTerminal()
	if err != nil {
		return usagef("this asks first, and there is nobody to ask: give --yes")
	}
	defer in.Close() // what was read and written has been checked
	defer out.Close()
	answer, err := askLine(cmd.Context(), in, out, printable(fmt.Sprintf(format, args...))+" [y/N] ")
	if err != nil {
		return err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}
