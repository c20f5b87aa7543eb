package cli

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestEveryFlagKnowsItsCompletion finds flags whose value is a file or one of a few words and that offer nothing.
func TestEveryFlagKnowsItsCompletion(t *testing.T) {
	files := map[string]bool{"FILE": true, "DIR": true, "FILE or URL": true}
	for _, cmd := range documentedCommands(newRootCommand()) {
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			value, _ := pflag.UnquoteUsage(flag)
			complete, registered := cmd.GetFlagCompletionFunc(flag.Name)
			wanted := files[value] || flagWords[flag.Name] != nil || flag.Name == "alg" || flag.Name == "typ"
			if registered != wanted {
				t.Errorf("%s --%s %s: completion is %v", cmd.CommandPath(), flag.Name, value, registered)
			}
			if !wanted || files[value] {
				return
			}
			if words, directive := complete(cmd, nil, ""); len(words) == 0 || directive&cobra.ShellCompDirectiveNoFileComp == 0 {
				t.Errorf("%s --%s offers %q with directive %d", cmd.CommandPath(), flag.Name, words, directive)
			}
		})
	}
}
