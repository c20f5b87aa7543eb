package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server/sqlstore"
)

const copyLong = `Copies everything that a server keeps - subjects, accounts, sessions, keys, the revocation log, events - from one
database into another, empty one: from SQLite to PostgreSQL, say, when one server becomes several. People stay logged in,
and verifiers notice nothing.

Stop the servers first: what they write meanwhile would stay behind. Start them on the new database with the same issuer
URL and the same key-encryption key. The copy is one transaction: after an error the new database is as empty as before.

config:FILE is the database that a configuration file of 'jot serve' names, whatever the environment says. A password in
--from or --to can be read by other users of the machine: put it into that file, $PGPASSWORD or a .pgpass file.`

const copyExample = `  jot copy --from sqlite:./jot-data --to 'postgres://jot@db.example.com/jot?sslmode=verify-full'
  jot copy --from 'postgres://jot@db.example.com/jot?sslmode=verify-full' --to sqlite:./restored --json`

func newCopyCommand() *cobra.Command {
	var from, to string
	var asJSON bool
	command := &cobra.Command{
		Use:     "copy --from DATABASE --to DATABASE [--json]",
		Short:   "Copy everything into another database",
		Long:    copyLong,
		Example: copyExample,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			source, err := parseDatabase(cmd, "--from", from)
			if err != nil {
				return err
			}
			target, err := parseDatabase(cmd, "--to", to)
			if err != nil {
				return err
			}
			return runCopy(cmd, source, target, asJSON)
		},
		DisableFlagsInUseLine: true,
	}
	command.Flags().StringVar(&from, "from", "", "`DATABASE` to read: sqlite:DIR, postgres://... or config:FILE")
	command.Flags().StringVar(&to, "to", "", "empty `DATABASE` to write: sqlite:DIR, postgres://... or config:FILE")
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object at the end")
	return command
}

func runCopy(cmd *cobra.Command, from, to database, asJSON bool) error {
	if err := from.exists(); err != nil {
		return err
	}
	if from == to {
		return usagef("--from and --to are the same database")
	}
	bar := newCopyBar(cmd.ErrOrStderr())
	counts := make(map[string]int64)
	var report strings.Builder
	err := from.use(cmd.Context(), func(source *sqlstore.Store) error {
		return to.use(cmd.Context(), func(target *sqlstore.Store) error {
			return sqlstore.Copy(cmd.Context(), source, target, func(p sqlstore.Progress) {
				bar.show(p)
				if counts[p.Table] = p.Rows; p.Rows == p.Total {
					fmt.Fprintf(&report, "%-10s %d\n", p.Table, p.Rows)
				}
			})
		})
	})
	bar.clear()
	if err != nil {
		return err
	}
	if asJSON {
		return printObject(cmd, map[string]any{"rows": counts})
	}
	if err := printLine(cmd, []byte(report.String()+"copied")); err != nil {
		return err
	}
	say(cmd, "Start the servers on the new database, with the same issuer and key-encryption key, and none on the old one: each would go on by itself.")
	return nil
}

// copyBar is a line that is written over, on a terminal; elsewhere it's nothing.
type copyBar struct{ terminal io.Writer }

const (
	clearLine = "\r\x1b[K"
	barWidth  = 30
)

func newCopyBar(w io.Writer) copyBar {
	if file, ok := w.(*os.File); ok && isTerminal(file) && os.Getenv("TERM") != "dumb" {
		return copyBar{file}
	}
	return copyBar{io.Discard}
}

func (b copyBar) show(p sqlstore.Progress) {
	done := barWidth
	if p.Total > 0 {
		done = int(barWidth * p.Rows / p.Total)
	}
	fmt.Fprintf(b.terminal, "%s%-10s [%s%s] %d/%d", clearLine, p.Table, strings.Repeat("=", done), strings.Repeat(" ", barWidth-done), p.Rows, p.Total)
}

func (b copyBar) clear() { io.WriteString(b.terminal, clearLine) }
