package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
)

var eventColumns = []column{
	{"TIME", "time", true}, {"KIND", "kind", false}, {"SUB", "sub", false}, {"CLIENT", "client_id", false}, {"DETAIL", "detail", false},
	{"ACTOR", "actor", false}, {"ADDRESS", "address", false}, {"REQUEST", "request_id", false},
}

// eventFlags are the filters of events.
type eventFlags struct{ kind, user, since, until string }

func (f *eventFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.kind, "kind", "", "only those of `KIND`, such as subject.changed")
	cmd.Flags().StringVar(&f.user, "user", "", "only those about `USER`, an ID or a name")
	cmd.Flags().StringVar(&f.since, "since", "", "only those since `TIME`, such as 2026-01-02T15:04:05Z, or a duration ago, such as 24h")
	cmd.Flags().StringVar(&f.until, "until", "", "only those before `TIME`")
}

func (f *eventFlags) query(cmd *cobra.Command, a *adminFlags) (url.Values, error) {
	query := url.Values{}
	if f.kind != "" {
		query.Set("kind", f.kind)
	}
	for name, text := range map[string]string{"since": f.since, "until": f.until} {
		when, err := parseMoment(name, text)
		if err != nil {
			return nil, err
		}
		if when != "" {
			query.Set(name, when)
		}
	}
	if f.user == "" {
		return query, nil
	}
	_, found, err := findUser(cmd, a, f.user)
	if err != nil {
		query.Set("sub", f.user) // the events outlive the user
		return query, nil
	}
	query.Set("sub", found.text("sub"))
	return query, nil
}

// parseMoment reads a time, or how long ago it was.
func parseMoment(flag, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(-ago).UTC().Format(time.RFC3339), nil
	}
	if when, err := time.Parse(time.RFC3339, text); err == nil {
		return when.UTC().Format(time.RFC3339), nil
	}
	return "", usagef("--%s %.40q is no time: write it as 2026-01-02T15:04:05Z, or as 24h for a day ago", flag, text)
}

func newAdminEventCommand(a *adminFlags) *cobra.Command {
	return newNoun("event", "What happened, and who did it", "Events: what administrators did, and what the server found strange.",
		newEventListCommand(a), newEventExportCommand(a))
}

func newEventListCommand(a *adminFlags) *cobra.Command {
	var f eventFlags
	l := listing{path: "/events", member: "events", columns: eventColumns}
	cmd := &cobra.Command{
		Use: "list", Short: "List events, newest first", Args: noArguments, DisableFlagsInUseLine: true,
		Example: `  jot admin event list --since 24h
  jot admin event list --user bob --kind subject.changed --json`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if l.query, err = f.query(cmd, a); err != nil {
				return err
			}
			return l.print(cmd, a)
		},
	}
	f.addFlags(cmd)
	l.addPageFlags(cmd)
	return cmd
}

func newEventExportCommand(a *adminFlags) *cobra.Command {
	var f eventFlags
	var out string
	cmd := &cobra.Command{
		Use: "export", Short: "Write all events, oldest first, one JSON object a line", Args: noArguments, DisableFlagsInUseLine: true,
		Example: `  jot admin event export --out events.jsonl
  jot admin event export --since 720h --kind key.rotated`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := f.query(cmd, a)
			if err != nil {
				return err
			}
			return exportEvents(cmd, a, query, out)
		},
	}
	f.addFlags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write to `FILE` (mode 0600), which must not exist")
	return cmd
}

// exportEvents copies what the server streams. A part of it is no export: the command fails, and the file goes.
func exportEvents(cmd *cobra.Command, a *adminFlags, query url.Values, name string) error {
	server, err := a.server()
	if err != nil {
		return err
	}
	return saveExport(cmd, server, "/admin/v1/events?"+query.Encode(), "application/jsonl", name, "the events")
}

// saveExport copies an answer of any length into a new file, or to standard output where none is named.
func saveExport(cmd *cobra.Command, server *adminServer, path, media, name, what string) error {
	response, err := server.send(cmd.Context(), http.MethodGet, path, media, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close() // it was read to its end, or else the error says so
	if name == "" {
		return printEvents(cmd.OutOrStdout(), response.Body)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, secretMode)
	if err != nil {
		return err
	}
	if err := errors.Join(copyEvents(file, response.Body), file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	say(cmd, "wrote %s to %s", what, name)
	return nil
}

// printEvents is copyEvents for what may be a terminal.
func printEvents(to io.Writer, from io.Reader) error {
	for lines := bufio.NewReader(from); ; {
		line, err := lines.ReadBytes('\n')
		if _, err := to.Write(printableJSON(line)); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the export is incomplete: %w", err)
		}
	}
}

func copyEvents(to io.Writer, from io.Reader) error {
	if _, err := io.Copy(to, from); err != nil {
		return fmt.Errorf("the export is incomplete: %w", err)
	}
	return nil
}
