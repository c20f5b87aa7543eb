package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
)

const exportLong = `Writes what another system needs to go on into a new directory, of mode 0700, in files of mode 0600, while the server runs:

  accounts.jsonl   accounts with their password hashes, which 'jot admin user import' reads
  factors.jsonl    the secrets of their one-time codes and the hashes of their recovery codes, which it reads after the accounts
  passkeys.jsonl   the public keys of their passkeys, good under the same host name, likewise
  subjects.jsonl   subjects without an account
  clients.jsonl    clients of the database, with the SHA-256 of their secrets
  resources.jsonl  resources of the database
  keys.json        the private keys that sign access tokens, as a JWK Set
  events.jsonl     what happened, oldest first

Sessions aren't in it, nor the keys of refresh tokens and of the revocation feed: they are good for this server alone. What the
configuration declares is in the configuration. Where there are passkeys the issuer is to be named, as for 'jot serve'. Whoever has the directory can sign tokens and make people's codes: keep it as you keep the key-encryption key.`

const exportExample = `  jot export --config jot.toml --out exported`

func newExportCommand() *cobra.Command {
	var flags databaseFlags
	var out string
	command := &cobra.Command{
		Use:     "export --config FILE | --data DIR|--database URL --out DIR",
		Short:   "Write accounts, keys and all else that another system needs",
		Long:    exportLong,
		Example: exportExample,
		Args:    noArguments,

		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return runExport(cmd, flags, out) },
	}
	flags.register(command, "kek_file", "kek_old_file", "issuer")
	command.Flags().StringVar(&out, "out", "", "new `DIR` to write; one that exists is never written to")
	return command
}

func runExport(cmd *cobra.Command, flags databaseFlags, out string) error {
	if out == "" {
		return usagef("name the new directory with --out DIR")
	}
	c, err := flags.load(cmd)
	if err != nil {
		return err
	}
	r, err := c.Recovery(false) // it reads the key-encryption key and makes none
	if err != nil {
		return err
	}
	done, err := server.Export(cmd.Context(), server.ExportConfig{
		Database: r.Database, DataDir: r.DataDir, KeyEncryptionKey: r.KeyEncryptionKey, OlderKeyEncryptionKeys: r.OlderKeyEncryptionKeys, URL: c.Issuer,
	}, out)
	if err != nil {
		return aboutDatabase(err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "accounts   %d\nfactors    %d\npasskeys   %d\nsubjects   %d\nclients    %d\nresources  %d\nkeys       %d\nevents     %d\n",
		done.Accounts, done.Factors, done.Passkeys, done.Subjects, done.Clients, done.Resources, done.Keys, done.Events)
	warn(cmd, "whoever has %s can sign tokens", out)
	return err
}
