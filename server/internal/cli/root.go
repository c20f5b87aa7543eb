package cli

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

const rootLong = `jot signs, verifies, encrypts and explains JSON Web Tokens, and serves them.

Tokens and keys come from files, the environment or standard input, written
as "-". Other users of a machine can read the arguments of a command: prefer
"-" for a token that is still alive.

Environment:
  JOT_TOKEN  the token for verify and inspect, where no TOKEN is given
  JOT_KEY    the key itself (JWK, JWK Set or PEM), where no key is given
  JOT_...    each setting of the server: see 'jot config --help'
  NO_COLOR   any value turns colour off

Exit codes:
  0  done; for verify: the token is valid
  1  an error: a file, the network, a key source
  2  a wrong command line
  3  the token is refused or broken, the message can't be decrypted
  5  the token has expired`

const rootExample = `  jot key generate --out key.jwk
  jot sign --key key.jwk --claim sub=alice > token
  jot inspect - < token`

// usageTemplate is shorter than cobra's: one usage line, examples before flags.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$commands := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $commands}}{{if eq .GroupID $group.ID}}
  {{rpad .Name .NamePadding}}  {{.Short}}{{end}}{{end}}{{end}}{{if not .AllChildCommandsHaveGroup}}

Commands:{{range $commands}}{{if and (eq .GroupID "") .IsAvailableCommand}}
  {{rpad .Name .NamePadding}}  {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Common flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`

// newRootCommand builds the command and everything below it.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:     "jot COMMAND|TOKEN",
		Short:   "JSON Web Tokens: sign, verify, encrypt, explain",
		Long:    rootLong,
		Example: rootExample,
		Version: readBuild().Version,
		Args:    cobra.ArbitraryArgs,
		RunE:    runRoot,

		SilenceErrors:         true,
		SilenceUsage:          true,
		DisableFlagsInUseLine: true,
	}
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(explainFlag)
	root.SetHelpCommandGroupID("other")
	root.SetCompletionCommandGroupID("other")
	addGroup(root, "server", "The server:", newServeCommand(), newDemoCommand(), newConfigCommand(), newHealthCommand(), newAdminCommand())
	addGroup(root, "database", "Its database:", newMigrateCommand(), newCopyCommand(), newBackupCommand(), newExportCommand(), newRestoreCommand(), newRecoverCommand())
	addGroup(root, "token", "Tokens:", newInspectCommand(), newVerifyCommand(), newSignCommand(), newEncryptCommand(), newDecryptCommand())
	addGroup(root, "key", "Keys:", newKeyCommand())
	addGroup(root, "other", "Other:", newManCommand(), newVersionCommand())
	enableCompletion(root)
	return root
}

// addGroup adds commands under a title of their own in the help.
func addGroup(root *cobra.Command, id, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: id, Title: title})
	for _, command := range commands {
		command.GroupID = id
		root.AddCommand(command)
	}
}

func runRoot(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return unknownCommand(cmd, args[0])
}

// unknownCommand names the command that was probably meant.
func unknownCommand(cmd *cobra.Command, name string) error {
	message := fmt.Sprintf("there is no command %.40q", name)
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return usagef("%s, but a file of that name: to see what is in it, 'jot inspect - < %s'", message, name)
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("%s", message)
}

// bareToken is what looks like a token: standard input, a JSON object, encoded or not, or two dots and neither a path
// nor a flag.
var bareToken = regexp.MustCompile(`^-$|^eyJ|^\{|^[^-\s/][^\s/]*\.[^\s/]*\.`)

// inspectBareToken turns the single argument that looks like a token into the command that explains it.
func inspectBareToken(args []string) []string {
	if len(args) == 1 && bareToken.MatchString(args[0]) {
		return []string{"inspect", "--", args[0]}
	}
	return append([]string{}, args...) // never nil, which would mean the arguments of the process
}
