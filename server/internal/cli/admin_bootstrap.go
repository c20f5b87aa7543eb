package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/config"
)

const adminBootstrapLong = `Make a code with which one administrator is made, in a browser or with curl.

It works on the database itself, beside the running server: run it as the server's user. The code is good for an hour
and for one administrator, and voids the one before it. It works as well when every administrator has lost its
password; who used it is in the events.

The code is no part of the address, which browsers, proxies and logs remember: it is pasted into the page. It goes to
the terminal, or to a file of mode 0600, and into no pipe by accident.`

type adminBootstrapFlags struct {
	databaseFlags
	out string
}

func newAdminBootstrapCommand(a *adminFlags) *cobra.Command {
	var f adminBootstrapFlags
	cmd := &cobra.Command{
		Use:   "bootstrap --config FILE | --issuer URL --data DIR|--database URL",
		Short: "Make the first administrator",
		Long:  adminBootstrapLong,
		Example: `  jot admin bootstrap --config jot.toml
  jot admin bootstrap --data ./jot-data --issuer https://auth.example.com
  jot admin bootstrap --data ./jot-data --issuer https://auth.example.com --out invitation`,
		Args: noArguments, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAdminBootstrap(cmd, a, f) },
	}
	f.register(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "write the invitation to `FILE` (mode 0600), which must not exist")
	return cmd
}

// invitation is what a new administrator needs.
type invitation struct {
	Page    string    `json:"page"`
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

func runAdminBootstrap(cmd *cobra.Command, a *adminFlags, f adminBootstrapFlags) error {
	if a.issuer != "" {
		f.given = append(f.given, config.Flag{Path: "issuer", Text: a.issuer})
	}
	c, err := f.load(cmd)
	if err != nil {
		return err
	}
	if c.Issuer == "" {
		return usagef("name the issuer as for 'jot serve': --config FILE or --issuer URL")
	}
	screen, isFile := cmd.OutOrStdout().(*os.File)
	if f.out == "" && !a.json && !(isFile && isTerminal(screen)) {
		return usagef("the code would go into a pipe or a file that others may read: give --out FILE, or --json if that is meant")
	}
	if f.out != "" {
		if _, err := os.Lstat(f.out); err == nil {
			return fmt.Errorf("%s exists already: choose another name", f.out)
		}
	}
	code, expires, err := server.InviteAdmin(cmd.Context(), server.Config{DataDir: c.Data, Database: c.Database})
	if err != nil {
		return err
	}
	return writeInvitation(cmd, invitation{c.Issuer + server.BootstrapPath, code, expires}, f.out, a.json)
}

func writeInvitation(cmd *cobra.Command, i invitation, file string, asJSON bool) error {
	text := fmt.Appendf(nil, "Open %s, and paste this code, which is good until %s:\n\n  %s\n", i.Page, i.Expires.Local().Format(time.DateTime), i.Code)
	if asJSON {
		encoded, err := encodeJSON(i)
		if err != nil {
			return err
		}
		text = append(encoded, '\n')
	}
	if file == "" {
		_, err := cmd.OutOrStdout().Write(text)
		return err
	}
	if err := writeKeyFile(file, text, secretMode, false); err != nil {
		return errors.Join(err, errors.New("the code is lost: run the command again"))
	}
	say(cmd, "wrote the invitation to %s", file)
	return nil
}
