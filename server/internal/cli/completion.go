package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// enableCompletion says what a shell may offer for the flags of a command and of all below it. It offers the names that
// jot knows, and files where a file belongs. Nothing is ever offered from within a file, the environment or a token.
func enableCompletion(cmd *cobra.Command) {
	cmd.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if complete := flagCompletion(cmd, flag); complete != nil {
			cobra.CheckErr(cmd.RegisterFlagCompletionFunc(flag.Name, complete)) // fails for a flag that isn't the command's
		}
	})
	for _, child := range cmd.Commands() {
		enableCompletion(child)
	}
}

// flagCompletion goes by the flag's name, then by the name of its value.
func flagCompletion(cmd *cobra.Command, flag *pflag.Flag) cobra.CompletionFunc {
	value, _ := pflag.UnquoteUsage(flag)
	switch {
	case flag.Name == "alg":
		return completeWords(algorithmNames(cmd))
	case flag.Name == "typ":
		return completeWords([]string{"JWT", "at+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt"})
	case flagWords[flag.Name] != nil:
		return completeWords(flagWords[flag.Name])
	case strings.HasPrefix(value, "FILE"):
		return completeFiles
	case value == "DIR":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	}
	return nil
}

// completeFiles leaves it to the shell, which knows its files.
var completeFiles = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)

// completeWords offers a word, or the next one behind the commas of a list.
func completeWords(words []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1]
		var fitting []string
		for _, word := range words {
			if strings.HasPrefix(before+word, typed) {
				fitting = append(fitting, before+word)
			}
		}
		return fitting, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// completeCommands offers the commands below those that are typed already.
func completeCommands(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if parent, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
		for _, child := range parent.Commands() {
			if len(documentedCommands(child)) > 0 {
				names = append(names, child.Name()+"\t"+child.Short)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
