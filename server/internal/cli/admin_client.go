package cli

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
)

var clientColumns = []column{
	{"CLIENT", "client_id", false}, {"NAME", "name", false}, {"SCOPE", "scope", false}, {"RESOURCES", "resources", false},
	{"FIRST PARTY", "first_party", false}, {"CONFIDENTIAL", "confidential", false}, {"DECLARED", "declared", false}, {"CREATED", "created", true},
}

// clientMembers are those that show prints beside the columns of the list.
var clientMembers = append(clientColumns[:len(clientColumns):len(clientColumns)], []column{
	{"ACCESS TTL", "access_ttl", false}, {"IDLE TTL", "idle_ttl", false}, {"ABSOLUTE TTL", "absolute_ttl", false},
	{"ACCESS TYPE", "access_type", false}, {"ALGORITHM", "algorithm", false}, {"SECRET", "client_secret", false},
	{"REDIRECT URIS", "redirect_uris", false}, {"POST-LOGOUT REDIRECT URIS", "post_logout_redirect_uris", false},
	{"BACKCHANNEL LOGOUT URI", "backchannel_logout_uri", false},
	{"KEY SET", "key_set", false}, {"REQUIRE DPOP", "require_dpop", false}, {"EXCHANGE FROM", "exchange_from", false},
	{"DEVICE GRANT", "device_grant", false},
}...)

func newAdminClientCommand(a *adminFlags) *cobra.Command {
	return newNoun("client", "Programs that get tokens", `Clients: programs that get tokens. Those that the configuration declares can be listed here, and not changed.

A confidential client proves itself with a secret, which is shown once, when it's made.`,
		newClientListCommand(a),
		newShowCommand(a, "client", "ID", "/clients/", "  jot admin client show client_shop", clientMembers),
		newClientCreateCommand(a), newClientChangeCommand(a), newClientSecretCommand(a), newClientDeleteCommand(a),
	)
}

func newClientListCommand(a *adminFlags) *cobra.Command {
	var text string
	proof := choice{member: "confidential", yes: "confidential", no: "public"}
	owner := choice{member: "first_party", yes: "first-party", no: "third-party"}
	l := listing{path: "/clients", member: "clients", query: url.Values{}, columns: clientColumns}
	cmd := &cobra.Command{
		Use: "list", Short: "List clients", Args: noArguments, DisableFlagsInUseLine: true,
		Example: `  jot admin client list
  jot admin client list --text shop --public --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(proof.narrow(l.query), owner.narrow(l.query)); err != nil {
				return err
			}
			l.search(text)
			return l.print(cmd, a)
		},
	}
	cmd.Flags().StringVar(&text, "text", "", "only those with `TEXT` in their ID or name, whatever its case")
	proof.addFlags(cmd, "only those that prove themselves, with a secret or with keys", "only those that don't")
	owner.addFlags(cmd, "only the operator's own", "only those that aren't")
	l.addPageFlags(cmd)
	return cmd
}

// clientFlags are what a client may have.
type clientFlags struct {
	name, scope, accessType, algorithm string
	resources, redirects, afterLogout  []string
	backchannel                        string
	exchangeFrom                       []string
	keySet                             jsonFile
	firstParty, requireDPoP, device    bool
	accessTTL, idleTTL, absoluteTTL    time.Duration
}

func (f *clientFlags) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "`NAME` for people")
	flags.StringVar(&f.scope, "scope", "", "`SCOPE`s that it may ask for, with spaces in between")
	flags.StringSliceVar(&f.resources, "resource", nil, "`AUDIENCE`,... that its tokens may be for, the first by default (default: any)")
	flags.StringSliceVar(&f.redirects, "redirect-uri", nil, "`URI`,... where the answers to its authorization requests may go, exactly")
	flags.StringSliceVar(&f.afterLogout, "post-logout-redirect-uri", nil, "`URI`,... where a browser may go on to after a logout")
	flags.StringVar(&f.backchannel, "backchannel-logout-uri", "", "`URI` where it's told of logouts")
	flags.Var(&f.keySet, "key-set", "`FILE` of the JWK Set with its public keys, by which it proves itself instead of a secret")
	flags.BoolVar(&f.requireDPoP, "require-dpop", false, "it gets no token that isn't bound to a key (DPoP)")
	flags.BoolVar(&f.device, "device-grant", false, "it may log people in by a code that they type elsewhere (RFC 8628)")
	flags.StringSliceVar(&f.exchangeFrom, "exchange-from", nil, "`AUDIENCE`,... whose access tokens it may exchange")
	flags.BoolVar(&f.firstParty, "first-party", false, "it's the operator's own, and may handle passwords")
	flags.DurationVar(&f.accessTTL, "access-ttl", 0, "life of its access tokens, where the resource's is longer")
	flags.DurationVar(&f.idleTTL, "idle-ttl", 0, "life of an unused session, where the server's is longer")
	flags.DurationVar(&f.absoluteTTL, "absolute-ttl", 0, "life of a session, where the server's is longer")
	flags.StringVar(&f.accessType, "access-type", "", "`TYP` of its access tokens: at+jwt or JWT")
	flags.StringVar(&f.algorithm, "alg", "", "`ALG` that signs its access tokens, where the resource names none")
}

// jsonFile is a flag's file of public JSON.
type jsonFile struct {
	name    string
	content json.RawMessage
}

func (f *jsonFile) String() string { return f.name }
func (f *jsonFile) Type() string   { return "file" }

// Set reads the file, of at most 64 KiB, which is what the server takes.
func (f *jsonFile) Set(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return err
	}
	if !json.Valid(text) {
		return errors.New("the file isn't JSON, or has more than 64 KiB")
	}
	f.name, f.content = name, text
	return nil
}

// body holds the members whose flags are given.
func (f *clientFlags) body(cmd *cobra.Command) map[string]any {
	return changedFlags(cmd, map[string]requestMember{
		"name": {"name", f.name}, "scope": {"scope", f.scope}, "resource": {"resources", f.resources}, "first-party": {"first_party", f.firstParty},
		"access-ttl": {"access_ttl", inSeconds(f.accessTTL)}, "idle-ttl": {"idle_ttl", inSeconds(f.idleTTL)}, "absolute-ttl": {"absolute_ttl", inSeconds(f.absoluteTTL)},
		"access-type": {"access_type", f.accessType}, "alg": {"algorithm", f.algorithm},
		"redirect-uri": {"redirect_uris", f.redirects}, "post-logout-redirect-uri": {"post_logout_redirect_uris", f.afterLogout},
		"backchannel-logout-uri": {"backchannel_logout_uri", f.backchannel},
		"key-set":                {"key_set", f.keySet.content}, "require-dpop": {"require_dpop", f.requireDPoP}, "exchange-from": {"exchange_from", f.exchangeFrom},
		"device-grant": {"device_grant", f.device},
	})
}

func newClientCreateCommand(a *adminFlags) *cobra.Command {
	var f clientFlags
	var confidential bool
	cmd := &cobra.Command{
		Use: "create ID", Short: "Make a client", Args: oneArgument("ID"), DisableFlagsInUseLine: true,
		Long: "Make a client, whose ID begins with client_. The secret of a confidential one is printed, and is nowhere else.",
		Example: `  jot admin client create client_shop --name 'The shop' --scope 'pets:read' --first-party
  jot admin client create client_backend --confidential --scope jot:sessions`,
		RunE: func(cmd *cobra.Command, args []string) error {
			body := f.body(cmd)
			body["client_id"] = args[0]
			if confidential {
				body["confidential"] = true
			}
			return createRecord(cmd, a, "/clients", body, clientMembers)
		},
	}
	f.addFlags(cmd)
	cmd.Flags().BoolVar(&confidential, "confidential", false, "give it a secret to prove itself with")
	return cmd
}

func newClientChangeCommand(a *adminFlags) *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use: "change ID", Short: "Change a client", Args: oneArgument("ID"), DisableFlagsInUseLine: true,
		Long:    "Change what the flags name of a client. Its sessions lose with their next refresh what it loses; what it gains counts from the next login on.",
		Example: `  jot admin client change client_shop --access-ttl 5m --name 'The new shop'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			return noSuch(changeRecord(cmd, a, server, "/clients/"+escapePath(args[0]), f.body(cmd), clientMembers), "client", args[0])
		},
	}
	f.addFlags(cmd)
	return cmd
}

func newClientSecretCommand(a *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "secret ID", Short: "Give a client a new secret", Args: oneArgument("ID"), DisableFlagsInUseLine: true,
		Long:    "Give a client a new secret, and print it: it is nowhere else. The old one is good no longer.",
		Example: `  jot admin client secret client_backend`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			made := &record{}
			if err := server.call(cmd.Context(), http.MethodPost, "/clients/"+escapePath(args[0])+"/secret", nil, made); err != nil {
				return noSuch(err, "client", args[0])
			}
			return showRecord(cmd, a.json, made, []column{{"CLIENT", "client_id", false}, {"SECRET", "client_secret", false}})
		},
	}
}

func newClientDeleteCommand(a *adminFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete ID", Short: "Delete a client, with its sessions and tokens", Args: oneArgument("ID"), DisableFlagsInUseLine: true,
		Example: `  jot admin client delete client_shop --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			return noSuch(deleteRecord(cmd, server, "/clients/"+escapePath(args[0]), yes, "client "+args[0]), "client", args[0])
		},
	}
	addYesFlag(cmd, &yes)
	return cmd
}
