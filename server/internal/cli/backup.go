package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
)

const backupLong = `Copies the database into a new file, while the server runs: its state of one moment, checked, in one file of mode 0600.

It holds password hashes, and private keys that are encrypted under the key-encryption key, which isn't in it. Keep a
copy of that in another place: without it a backup restores accounts, and neither keys nor sessions.

A PostgreSQL database has tools of its own, such as pg_dump; after it was restored, run 'jot recover'.`

const backupExample = `  jot backup --config jot.toml --out monday.db
  jot backup --data ./jot-data --out monday.db`

func newBackupCommand() *cobra.Command {
	var flags databaseFlags
	var out string
	command := &cobra.Command{
		Use:     "backup --config FILE | --data DIR --out FILE",
		Short:   "Copy the database while the server runs",
		Long:    backupLong,
		Example: backupExample,
		Args:    noArguments,

		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return runBackup(cmd, flags, out) },
	}
	flags.register(command)
	command.Flags().StringVar(&out, "out", "", "new `FILE` to write; one that exists is never overwritten")
	return command
}

func runBackup(cmd *cobra.Command, flags databaseFlags, out string) error {
	if out == "" {
		return usagef("name the new file with --out FILE")
	}
	d, err := flags.database(cmd)
	if err != nil {
		return err
	}
	if d.url != "" {
		return usagef("this is for SQLite: a PostgreSQL database has tools of its own, such as pg_dump")
	}
	if err := server.Backup(cmd.Context(), d.dir, out, copyProgress(cmd)); err != nil {
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s   %d bytes, checked\nThe key-encryption key isn't in it: keep a copy of that elsewhere.\n", out, info.Size())
	return err
}
