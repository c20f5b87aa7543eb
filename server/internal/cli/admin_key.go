package cli

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

var adminKeyColumns = []column{
	{"KID", "kid", false}, {"PURPOSE", "purpose", false}, {"ALG", "alg", false}, {"STATE", "state", false}, {"CREATED", "created", true},
	{"SIGNS SINCE", "activated", true}, {"EXPIRES", "expires", true},
}

func newAdminKeyCommand(a *adminFlags) *cobra.Command {
	return newNoun("key", "The server's keys", `The server's keys: one signs, the next is published already, and those before are published until their last token has expired.`,
		newAdminKeyListCommand(a), newAdminKeyRotateCommand(a), newAdminKeyImportCommand(a), newAdminKeyRevokeCommand(a),
	)
}

func newAdminKeyListCommand(a *adminFlags) *cobra.Command {
	var purpose, state, alg string
	l := listing{path: "/keys", member: "keys", query: url.Values{}, columns: adminKeyColumns}
	cmd := &cobra.Command{
		Use: "list", Short: "List keys, newest first", Args: noArguments, DisableFlagsInUseLine: true,
		Example: `  jot admin key list
  jot admin key list --state active --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for name, value := range map[string]string{"purpose": purpose, "state": state, "alg": alg} {
				if value != "" {
					l.query.Set(name, value)
				}
			}
			return l.print(cmd, a)
		},
	}
	cmd.Flags().StringVar(&purpose, "purpose", "", "only those of `PURPOSE`: access, feed, or refresh for the root keys of refresh tokens")
	cmd.Flags().StringVar(&state, "state", "", "only those in `STATE`: "+list(flagWords["state"]))
	cmd.Flags().StringVar(&alg, "alg", "", "only those of `ALG`")
	l.addPageFlags(cmd)
	return cmd
}

var rotationColumns = []column{
	{"PURPOSE", "purpose", false}, {"ALG", "alg", false}, {"SIGNS", "active", false}, {"RETIRES", "retiring", false}, {"PUBLISHED UNTIL", "retiring_until", true},
	{"REVOKED", "revoked", false}, {"NEXT", "next", false}, {"DUE", "due", true}, {"PUBLISHED", "published", false}, {"LIMIT", "limit", false},
}

func newAdminKeyRotateCommand(a *adminFlags) *cobra.Command {
	var alg, purpose string
	var dryRun, emergency, yes bool
	cmd := &cobra.Command{
		Use: "rotate", Short: "Let the next key sign", Args: noArguments, DisableFlagsInUseLine: true,
		Long: `Let the next key sign, and publish another one. Where verifiers may not hold the next key yet, it signs as soon as they do.

--purpose feed is for the keys of the revocation feed, which sign no token.
--emergency is for a key that somebody else has: the next key signs at once, and every token of the one before is refused, or every word of the feed.
--dry-run only says what would be done.`,
		Example: `  jot admin key rotate --dry-run
  jot admin key rotate
  jot admin key rotate --purpose feed`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			if emergency && !dryRun {
				if err := confirm(cmd, yes, "Refuse all that the present key has signed?"); err != nil {
					return err
				}
			}
			body := map[string]any{"dry_run": dryRun, "emergency": emergency}
			if alg != "" {
				body["alg"] = alg
			}
			if purpose != "" {
				body["purpose"] = purpose
			}
			done := &record{}
			if err := server.call(cmd.Context(), http.MethodPost, "/keys/rotate", body, done); err != nil {
				return err
			}
			if due := done.text("due"); due != "" && !dryRun {
				say(cmd, "scheduled: the next key signs from %s on: until then verifiers may not know it", due)
			}
			return showRecord(cmd, a.json, done, rotationColumns)
		},
	}
	cmd.Flags().StringVar(&alg, "alg", "", "`ALG` whose keys (default: the server's)")
	cmd.Flags().StringVar(&purpose, "purpose", "", "`PURPOSE` whose keys, access or feed (default: access)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be done")
	cmd.Flags().BoolVar(&emergency, "emergency", false, "revoke the key that signs")
	addYesFlag(cmd, &yes)
	return cmd
}

func newAdminKeyImportCommand(a *adminFlags) *cobra.Command {
	var alg string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Let a key of your own be the next", Args: oneArgument("FILE"), DisableFlagsInUseLine: true,
		Long:    "Send a private key, a JWK or PEM, to the server: it is published, and signs from the next rotation on.",
		Example: `  jot admin key import key.jwk`,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readInput(cmd, args[0], "a key", maxInput)
			if err != nil {
				return err
			}
			body := map[string]any{"key": string(text)}
			if alg != "" {
				body["alg"] = alg
			}
			return createRecord(cmd, a, "/keys", body, adminKeyColumns)
		},
	}
	cmd.Flags().StringVar(&alg, "alg", "", "`ALG` of a key that doesn't name its own, as PEM never does")
	return cmd
}

func newAdminKeyRevokeCommand(a *adminFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "revoke KID", Short: "Refuse every token that a key has signed", Args: oneArgument("KID"), DisableFlagsInUseLine: true,
		Long:    "Take a key out of use at once: the key set loses it, and every token that it has signed is refused, for ever. A key of the feed signs no token: every reader refuses what it says.",
		Example: `  jot admin key revoke $KID --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			if err := confirm(cmd, yes, "Refuse all that the key %s has signed?", args[0]); err != nil {
				return err
			}
			if err := server.call(cmd.Context(), http.MethodDelete, "/keys/"+escapePath(args[0]), nil, nil); err != nil {
				return noSuch(err, "key", args[0])
			}
			say(cmd, "revoked key %s", args[0])
			return nil
		},
	}
	addYesFlag(cmd, &yes)
	return cmd
}

// newAdminRevokeCommand is about tokens, whoever's they are.
func newAdminRevokeCommand(a *adminFlags) *cobra.Command {
	var token, user, client string
	var everything, yes bool
	cmd := &cobra.Command{
		Use: "revoke --token FILE | --user USER | --client ID | --everything", Short: "Take tokens out of use", Args: noArguments, DisableFlagsInUseLine: true,
		Long: `Take tokens out of use: one that leaked, or all tokens and sessions of a user, of a client, or of everybody, yourself included.
Every connected verifier refuses them within moments.`,
		Example: `  jot admin revoke --client client_shop --yes`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, what, err := revocationBody(cmd, a, token, user, client, everything)
			if err != nil {
				return err
			}
			server, err := a.server()
			if err != nil {
				return err
			}
			if err := confirm(cmd, yes, "Revoke %s?", what); err != nil {
				return err
			}
			if err := server.call(cmd.Context(), http.MethodPost, "/revocations", body, nil); err != nil {
				return err
			}
			say(cmd, "revoked %s", what)
			return nil
		},
	}
	cmd.Flags().StringVar(&token, "token", "", "`FILE` that holds an access or refresh token, - for standard input")
	cmd.Flags().StringVar(&user, "user", "", "all of `USER`, an ID or a name")
	cmd.Flags().StringVar(&client, "client", "", "all of the client `ID`")
	cmd.Flags().BoolVar(&everything, "everything", false, "all that there are")
	addYesFlag(cmd, &yes)
	return cmd
}

// revocationBody is the request for the one thing that the flags name, and what that is.
func revocationBody(cmd *cobra.Command, a *adminFlags, token, user, client string, everything bool) (body map[string]any, what string, err error) {
	given := 0
	for _, flag := range []string{"token", "user", "client", "everything"} {
		if cmd.Flags().Changed(flag) {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, "", usagef("name one: --token FILE, --user USER, --client ID or --everything")
	case token != "":
		data, err := readInput(cmd, token, "a token", maxInput)
		return map[string]any{"token": string(trimLine(data))}, "the token", err
	case user != "":
		_, found, err := findUser(cmd, a, user)
		if err != nil {
			return nil, "", err
		}
		return map[string]any{"subject": found.text("sub")}, "all tokens of " + userLabel(found), nil
	case client != "":
		return map[string]any{"client_id": client}, fmt.Sprintf("all tokens of %s", client), nil
	}
	return map[string]any{"everything": everything}, "all tokens of everybody", nil
}
