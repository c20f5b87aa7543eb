package cli

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func addYesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVar(yes, "yes", false, "don't ask")
}

// createRecord makes what a request describes, and shows what was made.
func createRecord(cmd *cobra.Command, a *adminFlags, path string, body map[string]any, columns []column) error {
	server, err := a.server()
	if err != nil {
		return err
	}
	made := &record{}
	if err := server.call(cmd.Context(), http.MethodPost, path, body, made); err != nil {
		return err
	}
	return showRecord(cmd, a.json, made, columns)
}

// changeRecord changes what a request names, and shows what came of it.
func changeRecord(cmd *cobra.Command, a *adminFlags, server *adminServer, path string, body map[string]any, columns []column) error {
	if len(body) == 0 {
		return usagef("nothing to change: see the flags")
	}
	changed := &record{}
	if err := server.call(cmd.Context(), http.MethodPatch, path, body, changed); err != nil {
		return err
	}
	return showRecord(cmd, a.json, changed, columns)
}

// deleteRecord asks, and deletes.
func deleteRecord(cmd *cobra.Command, server *adminServer, path string, yes bool, what string) error {
	if err := confirm(cmd, yes, "Delete %s?", what); err != nil {
		return err
	}
	if err := server.call(cmd.Context(), http.MethodDelete, path, nil, nil); err != nil {
		return err
	}
	say(cmd, "deleted %s", what)
	return nil
}

// newShowCommand shows one record.
func newShowCommand(a *adminFlags, noun, argument, path, example string, columns []column) *cobra.Command {
	return &cobra.Command{
		Use: "show " + argument, Short: "Show one " + noun, Args: oneArgument(argument), DisableFlagsInUseLine: true, Example: example,
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			found := &record{}
			if err := server.call(cmd.Context(), http.MethodGet, path+escapePath(args[0]), nil, found); err != nil {
				return noSuch(err, noun, args[0])
			}
			return showRecord(cmd, a.json, found, columns)
		},
	}
}

// noSuch says what wasn't found.
func noSuch(err error, noun, name string) error {
	if failed, ok := err.(*serverError); ok && failed.Status == http.StatusNotFound {
		return fmt.Errorf("there is no %s %.80q: 'jot admin %s list' lists them", noun, name, noun)
	}
	return err
}

// equalNames compares names of accounts as the server does, but for what no terminal shows.
func equalNames(stored, given string) bool { return strings.EqualFold(stored, given) }

// requestMember is a member of a request, and its value.
type requestMember struct {
	name  string
	value any
}

// changedFlags are the members whose flags a person has given.
func changedFlags(cmd *cobra.Command, members map[string]requestMember) map[string]any {
	body := map[string]any{}
	for flag, m := range members {
		if cmd.Flags().Changed(flag) {
			body[m.name] = m.value
		}
	}
	return body
}

// inSeconds is a duration as the admin API has it.
func inSeconds(d time.Duration) int64 { return int64(d / time.Second) }
