package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/jot-auth/jot/strictjson"
	"github.com/spf13/cobra"
)

var userColumns = []column{
	{"USERNAME", "username", false}, {"SUB", "sub", false}, {"SCOPE", "scope", false}, {"DISABLED", "disabled", false},
	{"GEN", "generation", false}, {"CREATED", "created", true}, {"CLAIMS", "claims", false}, {"EMAIL", "email", false},
}

func newAdminUserCommand(a *adminFlags) *cobra.Command {
	return newNoun("user", "People and other subjects", `Subjects: whom tokens are about, with or without an account of a name and a password.

A USER is a subject's ID (sub), or the name of its account.`,
		newUserListCommand(a), newUserShowCommand(a), newUserCreateCommand(a), newUserChangeCommand(a), newUserPasswordCommand(a), newUserRemoveFactorsCommand(a),
		newUserToggleCommand(a, true), newUserToggleCommand(a, false), newUserLogoutCommand(a), newUserDeleteCommand(a),
		newUserInviteCommand(a), newUserInvitationsCommand(a), newUserUninviteCommand(a),
		newUserImportCommand(a), newUserExportCommand(a),
	)
}

func newUserListCommand(a *adminFlags) *cobra.Command {
	var username string
	state := choice{member: "disabled", yes: "disabled", no: "enabled"}
	l := listing{path: "/subjects", member: "subjects", query: url.Values{}, columns: userColumns}
	cmd := &cobra.Command{
		Use: "list", Short: "List users, newest first", Args: noArguments, DisableFlagsInUseLine: true,
		Long: "List users, newest first; those of a name, in the order of the names.",
		Example: `  jot admin user list
  jot admin user list --username a --enabled --limit 0 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := state.narrow(l.query); err != nil {
				return err
			}
			if username != "" {
				l.query.Set("username", username)
			}
			return l.print(cmd, a)
		},
	}
	cmd.Flags().StringVar(&username, "username", "", "only those whose name begins with `PREFIX`")
	state.addFlags(cmd, "only those that are disabled", "only those that aren't")
	l.addPageFlags(cmd)
	return cmd
}

func newUserShowCommand(a *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "show USER", Short: "Show one user", Args: oneArgument("USER"), DisableFlagsInUseLine: true,
		Example: `  jot admin user show bob`,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, user, err := findUser(cmd, a, args[0])
			if err != nil {
				return err
			}
			return showRecord(cmd, a.json, user, userColumns)
		},
	}
}

// findUser finds a user by its ID, or else by the name of its account.
func findUser(cmd *cobra.Command, a *adminFlags, name string) (*adminServer, *record, error) {
	server, err := a.server()
	if err != nil {
		return nil, nil, err
	}
	user := &record{}
	err = server.call(cmd.Context(), http.MethodGet, "/subjects/"+escapePath(name), nil, user)
	if failed, ok := errors.AsType[*serverError](err); !ok || failed.Status != http.StatusNotFound {
		return server, user, err
	}
	var found struct {
		Subjects []record `json:"subjects"`
	}
	if err := server.call(cmd.Context(), http.MethodGet, "/subjects?"+firstNamed(name), nil, &found); err != nil {
		return nil, nil, err
	}
	if len(found.Subjects) == 0 || !equalNames(found.Subjects[0].text("username"), name) {
		return nil, nil, fmt.Errorf("there is no user %.80q: 'jot admin user list' lists them", name)
	}
	return server, &found.Subjects[0], nil
}

// firstNamed is the query for the account of a name: names come in order, so it is the first of those that begin with
// it.
func firstNamed(name string) string {
	return url.Values{"username": {name}, "limit": {"1"}}.Encode()
}

// userLabel is a user as a question or an answer names it.
func userLabel(user *record) string {
	if name := user.text("username"); name != "" {
		return name + " (" + user.text("sub") + ")"
	}
	return user.text("sub")
}

func newUserCreateCommand(a *adminFlags) *cobra.Command {
	var username, sub, scope string
	var claims claimFlags
	var password passwordFlags
	cmd := &cobra.Command{
		Use: "create --username NAME [--password-file FILE] | --sub ID", Short: "Make a user", Args: noArguments, DisableFlagsInUseLine: true,
		Long: "Make a user: with a name and a password, which is asked for at the terminal, or just a subject, whose login is your own.",
		Example: `  jot admin user create --username bob --password-file password --scope pets:read --claim team=red
  jot admin user create --sub user-42 --scope pets:read`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if username == "" && sub == "" {
				return usagef("name it: --username NAME makes an account, --sub ID a subject without one")
			}
			body := map[string]any{"scope": scope}
			if err := claims.put(body); err != nil {
				return err
			}
			if sub != "" {
				body["sub"] = sub
			}
			if username != "" {
				secret, err := password.read(cmd, true)
				if err != nil {
					return err
				}
				body["username"], body["password"] = username, string(secret)
			}
			return createRecord(cmd, a, "/subjects", body, userColumns)
		},
	}
	cmd.Flags().StringVar(&username, "username", "", "`NAME` of the account")
	cmd.Flags().StringVar(&password.file, "password-file", "", "`FILE` that holds the password on its one line, - for standard input")
	cmd.Flags().StringVar(&sub, "sub", "", "`ID` of the subject (default: a random one)")
	cmd.Flags().StringVar(&scope, "scope", "", "`SCOPE`s that its tokens may have, with spaces in between")
	claims.addFlags(cmd)
	return cmd
}

func newUserChangeCommand(a *adminFlags) *cobra.Command {
	var scope string
	var soft bool
	var claims claimFlags
	cmd := &cobra.Command{
		Use: "change USER", Short: "Change a user's claims and scope", Args: oneArgument("USER"), DisableFlagsInUseLine: true,
		Long: `Change a user's claims and scope. Its access tokens are refused from then on, and a refresh brings the new claims; with --soft
they stay good until they expire.

--scope replaces the whole scope, --claims all claims; --claim changes one and keeps the others, and NAME:=null takes it away.`,
		Example: `  jot admin user change bob --scope 'pets:read pets:write'
  jot admin user change bob --claim 'roles:=["admin"]'
  jot admin user change bob --claim team=blue --claim team_lead:=true`,
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{}
			if cmd.Flags().Changed("scope") {
				body["scope"] = scope
			}
			if soft {
				body["soft"] = true
			}
			server, user, err := findUser(cmd, a, args[0])
			if err != nil {
				return err
			}
			if err := claims.merge(body, user); err != nil {
				return err
			}
			return changeRecord(cmd, a, server, "/subjects/"+escapePath(user.text("sub")), body, userColumns)
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "", "`SCOPE`s that its tokens may have from now on, with spaces in between")
	cmd.Flags().BoolVar(&soft, "soft", false, "let the tokens with the old claims be good until they expire")
	claims.addFlags(cmd)
	return cmd
}

func newUserPasswordCommand(a *adminFlags) *cobra.Command {
	var password passwordFlags
	cmd := &cobra.Command{
		Use: "password USER [--password-file FILE]", Short: "Give a user a new password", Args: oneArgument("USER"), DisableFlagsInUseLine: true,
		Long:    "Give a user's account a new password, which is asked for at the terminal, and end its sessions.",
		Example: `  jot admin user password bob --password-file password`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, user, err := findUser(cmd, a, args[0])
			if err != nil {
				return err
			}
			secret, err := password.read(cmd, true)
			if err != nil {
				return err
			}
			path := "/subjects/" + escapePath(user.text("sub")) + "/password"
			if err := server.call(cmd.Context(), http.MethodPut, path, map[string]any{"password": string(secret)}, nil); err != nil {
				return err
			}
			say(cmd, "%s has a new password, and no session", userLabel(user))
			return nil
		},
	}
	cmd.Flags().StringVar(&password.file, "password-file", "", "`FILE` that holds the password on its one line, - for standard input")
	return cmd
}

func newUserRemoveFactorsCommand(a *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "remove-factors USER", Short: "Let a user log in with the password alone again", Args: oneArgument("USER"), DisableFlagsInUseLine: true,
		Long: `Remove a user's one-time codes and recovery codes, whose owner has lost them: the password alone is enough then. Make sure who asks for it,
and give the user a new password where you aren't.`,
		Example: `  jot admin user remove-factors bob`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, user, err := findUser(cmd, a, args[0])
			if err != nil {
				return err
			}
			err = server.call(cmd.Context(), http.MethodDelete, "/subjects/"+escapePath(user.text("sub"))+"/factors", nil, nil)
			if failed, ok := errors.AsType[*serverError](err); ok && failed.Status == http.StatusNotFound {
				err = nil // there was none
			}
			if err != nil {
				return err
			}
			say(cmd, "%s logs in with the password alone", userLabel(user))
			return nil
		},
	}
}

func newUserToggleCommand(a *adminFlags, disable bool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "enable USER", Short: "Let a disabled user log in again", Args: oneArgument("USER"), DisableFlagsInUseLine: true,
		Example: `  jot admin user enable bob`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, user, err := findUser(cmd, a, args[0])
			if err != nil {
				return err
			}
			return changeRecord(cmd, a, server, "/subjects/"+escapePath(user.text("sub")), map[string]any{"disabled": disable}, userColumns)
		},
	}
	if disable {
		cmd.SuggestFor = []string{"ban", "block", "lock", "suspend"}
		cmd.Use, cmd.Short, cmd.Example = "disable USER", "End a user's sessions, and let it log in no more", `  jot admin user disable bob`
	}
	return cmd
}

func newUserLogoutCommand(a *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "logout USER", Short: "End all sessions of a user", Args: oneArgument("USER"), DisableFlagsInUseLine: true,
		Example: `  jot admin user logout bob`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, user, err := findUser(cmd, a, args[0])
			if err != nil {
				return err
			}
			if err := server.call(cmd.Context(), http.MethodPost, "/subjects/"+escapePath(user.text("sub"))+"/logout", nil, nil); err != nil {
				return err
			}
			say(cmd, "%s is logged out everywhere", userLabel(user))
			return nil
		},
	}
}

func newUserExportCommand(a *adminFlags) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "export USER", Short: "Write all that is stored on a user", Args: oneArgument("USER"), DisableFlagsInUseLine: true,
		Long: `Write all that is stored on a user, as one JSON object: the subject, its account, its sessions, and the events about it. No secret is in it:
of the password it says what made its hash, of a code that was sent when and for what.`,
		Example: `  jot admin user export bob --out bob.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, user, err := findUser(cmd, a, args[0])
			if err != nil {
				return err
			}
			return saveExport(cmd, server, "/admin/v1/subjects/"+escapePath(user.text("sub"))+"/export", "application/json", out, "what is stored on "+userLabel(user))
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write to `FILE` (mode 0600), which must not exist")
	return cmd
}

func newUserDeleteCommand(a *adminFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete USER", Short: "Delete a user, its account and its sessions", Args: oneArgument("USER"), DisableFlagsInUseLine: true,
		Example: `  jot admin user delete bob --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, user, err := findUser(cmd, a, args[0])
			if err != nil {
				return err
			}
			return deleteRecord(cmd, server, "/subjects/"+escapePath(user.text("sub")), yes, "user "+userLabel(user))
		},
	}
	addYesFlag(cmd, &yes)
	return cmd
}

// claimFlags say what claims a user has.
type claimFlags struct {
	json   string
	single []string
}

func (f *claimFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.json, "claims", "", "all claims, a `JSON` object")
	cmd.Flags().StringArrayVar(&f.single, "claim", nil, "`NAME=VALUE`, a string, or NAME:=JSON; may be repeated")
}

// put adds the claims of the flags to a request, if there are any.
func (f claimFlags) put(body map[string]any) error {
	claims := map[string]json.RawMessage{}
	if f.json != "" {
		if err := strictjson.Unmarshal([]byte(f.json), &claims); err != nil || claims == nil {
			return usagef(`--claims is not a JSON object such as {"team":"red"}: %w`, notObject([]byte(f.json), err))
		}
	}
	for _, text := range f.single {
		name, value, err := parseClaim(text)
		if err != nil {
			return err
		}
		claims[name] = value
		if string(value) == "null" {
			delete(claims, name)
		}
	}
	if f.json != "" || len(f.single) > 0 {
		body["claims"] = claims
	}
	return nil
}

// merge is put for a user that has claims already: --claims replaces them all, --claim those that it names.
func (f claimFlags) merge(body map[string]any, user *record) error {
	if f.json == "" && len(f.single) > 0 {
		f.json = user.text("claims")
	}
	return f.put(body)
}
