package cli

import (
	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
)

const recoverLong = `Makes a database safe to serve that has come back from the past: files that were put back, a disk or machine that was rolled
back, a standby that was promoted before it had everything. 'jot serve' refuses to start on such a database when the
witness, a file beside the data directory, remembers more than the database does. 'jot restore' recovers by itself.

Nobody knows what was revoked meanwhile, so everything is: a new revocation log begins, every access token of before
is refused, every session ends, every browser is signed out, and new keys take the place of all. Verifiers that follow the
feed see the new log and go on by themselves. Accounts stay as the database has them: a ban or a new password that it doesn't know of is lost.

The servers have to be stopped. A PostgreSQL database is recovered once, whatever the number of its servers, with the
configuration of one of them: its witness is then made to agree.

It finds the database, the key-encryption key and the witness as 'jot serve' does, with the same file, environment and flags.`

const recoverExample = `  jot recover --config jot.toml
  jot recover --issuer https://auth.example.com --data ./jot-data`

func newRecoverCommand() *cobra.Command {
	var flags databaseFlags
	var yes, keyLost bool
	command := &cobra.Command{
		Use:     "recover --config FILE | --issuer URL --data DIR|--database URL [--kek-lost] [--yes]",
		Short:   "Make a database safe to serve that has come back from the past",
		Long:    recoverLong,
		Example: recoverExample,
		Args:    noArguments,

		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return runRecover(cmd, flags, keyLost, yes) },
	}
	flags.register(command, recoverySettings...)
	addKeyLostFlag(command, &keyLost)
	command.Flags().BoolVar(&yes, "yes", false, "don't ask")
	return command
}

func runRecover(cmd *cobra.Command, flags databaseFlags, keyLost, yes bool) error {
	config, err := flags.loadRecovery(cmd, keyLost)
	if err != nil {
		return err
	}
	if err := confirm(cmd, yes, "Every session ends, and everybody has to log in again. Go on?"); err != nil {
		return err
	}
	done, err := server.Recover(cmd.Context(), config)
	if err != nil {
		return aboutDatabase(err)
	}
	if keyLost {
		warnOfLostKey(cmd)
	}
	return printRecovery(cmd, done)
}
