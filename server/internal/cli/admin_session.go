package cli

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

var sessionColumns = []column{
	{"SID", "sid", false}, {"SUB", "sub", false}, {"CLIENT", "client_id", false}, {"RESOURCE", "resource", false}, {"CREATED", "created", true},
	{"LAST USED", "last_used", true}, {"ENDED", "ended", true}, {"WHY", "end_reason", false}, {"ADDRESS", "address", false}, {"USER AGENT", "user_agent", false},
}

// sessionMembers are those that show prints beside the columns of the list.
var sessionMembers = append(sessionColumns[:len(sessionColumns):len(sessionColumns)], []column{
	{"SCOPE", "scope", false}, {"AMR", "amr", false}, {"LOGIN", "auth_time", true}, {"IDLE UNTIL", "idle_expires", true}, {"UNTIL", "expires", true},
}...)

func newAdminSessionCommand(a *adminFlags) *cobra.Command {
	return newNoun("session", "Logins on devices", "Sessions: each is one login on one device.",
		newSessionListCommand(a),
		newShowCommand(a, "session", "SID", "/sessions/", "  jot admin session show $SID", sessionMembers),
		newSessionEndCommand(a),
	)
}

func newSessionListCommand(a *adminFlags) *cobra.Command {
	var user, client string
	var live bool
	l := listing{path: "/sessions", member: "sessions", query: url.Values{}, columns: sessionColumns}
	cmd := &cobra.Command{
		Use: "list", Short: "List sessions, newest first", Args: noArguments, DisableFlagsInUseLine: true,
		Example: `  jot admin session list --live
  jot admin session list --user bob --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if user != "" {
				_, found, err := findUser(cmd, a, user)
				if err != nil {
					return err
				}
				l.query.Set("sub", found.text("sub"))
			}
			if client != "" {
				l.query.Set("client_id", client)
			}
			if live {
				l.query.Set("live", "true")
			}
			return l.print(cmd, a)
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "only those of `USER`, an ID or a name")
	cmd.Flags().StringVar(&client, "client", "", "only those of the client `ID`")
	cmd.Flags().BoolVar(&live, "live", false, "only those that haven't ended or expired")
	l.addPageFlags(cmd)
	return cmd
}

func newSessionEndCommand(a *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "end SID", Short: "End one session, and refuse its access tokens", Args: oneArgument("SID"), DisableFlagsInUseLine: true,
		Example: `  jot admin session end $SID`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			if err := server.call(cmd.Context(), http.MethodDelete, "/sessions/"+escapePath(args[0]), nil, nil); err != nil {
				return noSuch(err, "session", args[0])
			}
			say(cmd, "ended session %s", args[0])
			return nil
		},
	}
}
