package cli

import (
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

var invitationColumns = []column{
	{"ID", "invitation_id", false}, {"CODE", "code", false}, {"NOTE", "note", false}, {"CREATED", "created", true}, {"EXPIRES", "expires", true},
}

func newUserInviteCommand(a *adminFlags) *cobra.Command {
	var note string
	var expires time.Duration
	cmd := &cobra.Command{
		Use: "invite", Short: "Invite somebody to make an account", Args: noArguments, DisableFlagsInUseLine: true,
		Long: `Make an invitation, with which one account can be made where the server's configuration says sign_up.invite. The code is shown once;
whoever has it signs up with it. The database holds only its hash.`,
		Example: `  jot admin user invite --note 'for Ada' --expires 24h`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if expires < time.Second {
				return usagef("--expires is at least 1s")
			}
			return createRecord(cmd, a, "/invitations", map[string]any{"note": note, "expires_in": inSeconds(expires)}, invitationColumns)
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "`TEXT` that tells it from others")
	cmd.Flags().DurationVar(&expires, "expires", 7*24*time.Hour, "how long it is good, up to 2160h")
	return cmd
}

func newUserInvitationsCommand(a *adminFlags) *cobra.Command {
	l := listing{path: "/invitations", member: "invitations", query: url.Values{}, columns: invitationColumns}
	cmd := &cobra.Command{
		Use: "invitations", Short: "List the invitations that weren't used", Args: noArguments, DisableFlagsInUseLine: true,
		Example: `  jot admin user invitations`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return l.print(cmd, a) },
	}
	l.addPageFlags(cmd)
	return cmd
}

func newUserUninviteCommand(a *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "uninvite ID", Short: "Void an invitation", Args: oneArgument("ID"), DisableFlagsInUseLine: true,
		Example: `  jot admin user uninvite "$INVITATION"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			if err := server.call(cmd.Context(), http.MethodDelete, "/invitations/"+escapePath(args[0]), nil, nil); err != nil {
				return err
			}
			say(cmd, "the invitation is void")
			return nil
		},
	}
}
