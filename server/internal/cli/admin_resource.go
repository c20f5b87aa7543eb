package cli

import (
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

var resourceColumns = []column{
	{"AUDIENCE", "audience", false}, {"NAME", "name", false}, {"SCOPE", "scope", false}, {"ACCESS TTL", "access_ttl", false},
	{"ALGORITHM", "algorithm", false}, {"DECLARED", "declared", false}, {"CREATED", "created", true},
}

func newAdminResourceCommand(a *adminFlags) *cobra.Command {
	return newNoun("resource", "APIs that tokens are for", "Resources: APIs that tokens are for. Those that the configuration declares can be listed here, and not changed.",
		newResourceListCommand(a),
		newShowCommand(a, "resource", "AUDIENCE", "/resources/", "  jot admin resource show petstore", resourceColumns),
		newResourceCreateCommand(a), newResourceChangeCommand(a), newResourceDeleteCommand(a),
	)
}

func newResourceListCommand(a *adminFlags) *cobra.Command {
	var text string
	l := listing{path: "/resources", member: "resources", query: url.Values{}, columns: resourceColumns}
	cmd := &cobra.Command{
		Use: "list", Short: "List resources", Args: noArguments, DisableFlagsInUseLine: true,
		Example: `  jot admin resource list
  jot admin resource list --text shop.example.com`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l.search(text)
			return l.print(cmd, a)
		},
	}
	cmd.Flags().StringVar(&text, "text", "", "only those with `TEXT` in their audience or name, whatever its case")
	l.addPageFlags(cmd)
	return cmd
}

// resourceFlags are what a resource may have.
type resourceFlags struct {
	name, scope, algorithm string
	accessTTL              time.Duration
}

func (f *resourceFlags) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "`NAME` for people")
	flags.StringVar(&f.scope, "scope", "", "`SCOPE`s that it knows, with spaces in between")
	flags.DurationVar(&f.accessTTL, "access-ttl", 0, "life of its access tokens; 0 is the server's")
	flags.StringVar(&f.algorithm, "alg", "", "`ALG` that signs its access tokens")
}

func (f *resourceFlags) body(cmd *cobra.Command) map[string]any {
	return changedFlags(cmd, map[string]requestMember{
		"name": {"name", f.name}, "scope": {"scope", f.scope}, "access-ttl": {"access_ttl", inSeconds(f.accessTTL)}, "alg": {"algorithm", f.algorithm},
	})
}

func newResourceCreateCommand(a *adminFlags) *cobra.Command {
	var f resourceFlags
	cmd := &cobra.Command{
		Use: "create AUDIENCE", Short: "Make a resource", Args: oneArgument("AUDIENCE"), DisableFlagsInUseLine: true,
		Example: `  jot admin resource create https://shop.example.com --scope 'orders:read orders:write' --access-ttl 5m`,
		RunE: func(cmd *cobra.Command, args []string) error {
			body := f.body(cmd)
			body["audience"] = args[0]
			return createRecord(cmd, a, "/resources", body, resourceColumns)
		},
	}
	f.addFlags(cmd)
	return cmd
}

func newResourceChangeCommand(a *adminFlags) *cobra.Command {
	var f resourceFlags
	cmd := &cobra.Command{
		Use: "change AUDIENCE", Short: "Change a resource", Args: oneArgument("AUDIENCE"), DisableFlagsInUseLine: true,
		Long:    "Change what the flags name of a resource. Sessions follow with their next refresh.",
		Example: `  jot admin resource change https://shop.example.com --access-ttl 10m`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			return noSuch(changeRecord(cmd, a, server, "/resources/"+escapePath(args[0]), f.body(cmd), resourceColumns), "resource", args[0])
		},
	}
	f.addFlags(cmd)
	return cmd
}

func newResourceDeleteCommand(a *adminFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete AUDIENCE", Short: "Delete a resource: nobody gets tokens for it any more", Args: oneArgument("AUDIENCE"), DisableFlagsInUseLine: true,
		Example: `  jot admin resource delete https://shop.example.com --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			return noSuch(deleteRecord(cmd, server, "/resources/"+escapePath(args[0]), yes, "resource "+args[0]), "resource", args[0])
		},
	}
	addYesFlag(cmd, &yes)
	return cmd
}
