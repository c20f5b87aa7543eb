package cli

import (
	"github.com/spf13/cobra"
)

const adminLong = `Administer a token server over its admin API.

The first administrator is made with 'jot admin bootstrap', on the server's own machine. After 'jot admin login' the
other commands use that login, whose tokens are in a file of mode 0600 in the configuration directory of the user.

Lists are tables on a terminal. Elsewhere they are lines with tabs between the fields and without a title; --json prints
one JSON object a line. Whatever destroys something asks first; --yes answers for scripts.

Environment:
  JOT_ADMIN_TOKEN  an access token for the admin API, instead of the login`

// adminFlags are those of every command that calls the admin API.
type adminFlags struct {
	issuer string
	json   bool
}

func newAdminCommand() *cobra.Command {
	var f adminFlags
	cmd := newNoun("admin", "Administer a token server", adminLong)
	cmd.PersistentFlags().StringVar(&f.issuer, "issuer", "", "`URL` of the server (default: that of the login, or of the token)")
	cmd.PersistentFlags().BoolVar(&f.json, "json", false, "print JSON, one object a line")
	cmd.AddCommand(
		newAdminBootstrapCommand(&f), newAdminLoginCommand(&f), newAdminLogoutCommand(),
		newAdminUserCommand(&f), newAdminSessionCommand(&f), newAdminClientCommand(&f), newAdminResourceCommand(&f),
		newAdminKeyCommand(&f), newAdminRevokeCommand(&f), newAdminEventCommand(&f),
	)
	return cmd
}

// newNoun is a command that only has others below it.
func newNoun(use, short, long string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use + " COMMAND", Short: short, Long: long, Args: cobra.ArbitraryArgs, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// oneArgument is a command's only argument, called so in its usage.
func oneArgument(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("name one %s", name)
		}
		return nil
	}
}
