package cli

import (
	"cmp"
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

type adminBootstrapFlags struct{ config, data, database, out string }

func newAdminBootstrapCommand(a *adminFlags) *cobra.Command {
	var f adminBootstrapFlags
	cmd := &cobra.Command{
		Use:   "bootstrap --config FILE | --issuer URL --data DIR|--database URL",
		Short: "Make the first administrator",
		Long:  adminBootstrapLong,
		Example: `  jot admin bootstrap --data ./jot-data --issuer https://auth.example.com
  jot admin bootstrap --data ./jot-data --issuer https://auth.example.com --out invitation`,
		Args: noArguments, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAdminBootstrap(cmd, a, f) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration `FILE` of the server (default $"+config.FileVariable+")")
	cmd.Flags().StringVar(&f.data, "data", "", "data `DIR` of the server")
	cmd.Flags().StringVar(&f.database, "database", "", "PostgreSQL `URL` of the server (default $JOT_DATABASE)")
	cmd.Flags().StringVar(&f.out, "out", "", "write the invitation to `FILE` (mode 0600), which must not exist")
	return cmd
}

// load finds the database and the issuer where the server finds them.
func (f adminBootstrapFlags) load(issuer string) (*config.Loaded, error) {
	var given []config.Flag
	for path, text := range map[string]string{"issuer": issuer, "data": f.data, "database": f.database} {
		if text != "" {
			given = append(given, config.Flag{Path: path, Text: text})
		}
	}
	return config.Load(config.Sources{File: cmp.Or(f.config, os.Getenv(config.FileVariable)), Environ: os.Environ(), Flags: given})
}

// invitation is what a new administrator needs.
type invitation struct {
	Page    string    `json:"page"`
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

func runAdminBootstrap(cmd *cobra.Command, a *adminFlags, f adminBootstrapFlags) error {
	c, err := f.load(a.issuer)
	if err != nil {
		return usagef("%w", err)
	}
	if c.Issuer == "" || c.Data == "" && c.Database == "" {
		return usagef("bootstrap needs --config FILE, or --issuer URL and --data DIR or --database URL, as serve has them")
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
