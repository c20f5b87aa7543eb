package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
)

const restoreLong = `Puts a backup in place of the database, checks it, and recovers it as 'jot recover' does: every session ends, and every access
token of before is refused, because nobody knows what was revoked since the backup.

With --replace, a database that is there is put aside, into a directory within the data directory, and not deleted.

The server has to be stopped. The key-encryption key must be the one that the backup was made under; --kek-lost goes on without it.

It finds the data directory, the key-encryption key and the witness as 'jot serve' does, with the same file, environment and flags.`

const restoreExample = `  jot restore --config jot.toml --from monday.db
  jot restore --issuer https://auth.example.com --data ./jot-data --from monday.db`

func newRestoreCommand() *cobra.Command {
	var flags databaseFlags
	var from string
	var replace, keyLost bool
	command := &cobra.Command{
		Use:     "restore --config FILE | --issuer URL --data DIR --from FILE [--replace] [--kek-lost]",
		Short:   "Put a backup in place, and make it safe to serve",
		Long:    restoreLong,
		Example: restoreExample,
		Args:    noArguments,

		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return runRestore(cmd, flags, from, replace, keyLost) },
	}
	flags.register(command, recoverySettings...)
	command.Flags().StringVar(&from, "from", "", "`FILE` that 'jot backup' wrote")
	addKeyLostFlag(command, &keyLost)
	command.Flags().BoolVar(&replace, "replace", false, "put the database aside that is there")
	return command
}

func runRestore(cmd *cobra.Command, flags databaseFlags, from string, replace, keyLost bool) error {
	if from == "" {
		return usagef("name the backup with --from FILE")
	}
	config, err := flags.loadRecovery(cmd, keyLost)
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
	if keyLost {
		warnOfLostKey(cmd)
	}
	return printRecovery(cmd, done.Recovery)
}
