package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
)

const restoreLong = `Puts a backup in place of the database, checks it, and recovers it as 'jot recover' does: every session ends, and every access
token of before is refused, because nobody knows what was revoked since the backup.

With --replace, a database that is there is put aside, into a directory within the data directory, and not deleted.

The server has to be stopped. The key-encryption key must be the one that the backup was made under.

Environment:
  JOT_KEK  the key-encryption key itself, instead of its file`

const restoreExample = `  jot restore --issuer https://auth.example.com --data ./jot-data --from monday.db`

func newRestoreCommand() *cobra.Command {
	var f recoveryFlags
	var data, from string
	var replace bool
	command := &cobra.Command{
		Use:     "restore --issuer URL --data DIR --from FILE [--replace]",
		Short:   "Put a backup in place, and make it safe to serve",
		Long:    restoreLong,
		Example: restoreExample,
		Args:    noArguments,

		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return runRestore(cmd, f, data, from, replace) },
	}
	f.register(command.Flags())
	command.Flags().StringVar(&data, "data", "", "data `DIR` of the server")
	command.Flags().StringVar(&from, "from", "", "`FILE` that 'jot backup' wrote")
	command.Flags().BoolVar(&replace, "replace", false, "put the database aside that is there")
	return command
}

func runRestore(cmd *cobra.Command, f recoveryFlags, data, from string, replace bool) error {
	if data == "" || from == "" {
		return usagef("give --data DIR, and the backup as --from FILE")
	}
	config, err := f.config(database{dir: data})
	if err != nil {
		return err
	}
	done, err := server.Restore(cmd.Context(), server.RestoreConfig{
		RecoverConfig: config, File: from, Replace: replace, Progress: copyProgress(cmd),
	})
	if err != nil {
		return err
	}
	if done.Aside != "" {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "put aside        %s\n", done.Aside); err != nil {
			return err
		}
	}
	return printRecovery(cmd, done.Recovery)
}
