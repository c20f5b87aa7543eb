package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server/internal/config"
)

const configLong = `The configuration of jot serve: a TOML file, overridden by environment variables, overridden by flags.

The variable of a setting is JOT_ and its key in capitals, with an underscore for each dot. Lists are separated by
commas, resources by spaces. A key that isn't known is an error. Secrets stand in files of their own, which only you
may read, or in the environment.

Settings:
`

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config COMMAND",
		Short:   "Check and print the configuration",
		Long:    configLong + config.Manual(),
		Example: "  jot config print --defaults > jot.toml",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(newConfigCheckCommand(), newConfigPrintCommand())
	return cmd
}

func newConfigCheckCommand() *cobra.Command {
	var given settingFlags
	cmd := &cobra.Command{
		Use:   "check [FLAG...]",
		Short: "Say all that is wrong with the configuration",
		Long: `Reads the configuration as 'jot serve' would, with the same flags and environment, and says all that is wrong with it:
keys and variables that mean nothing, values that don't fit, files that are missing or that others can read. It
makes nothing and listens nowhere. It warns of a client's scope that no resource has, unless one in the database does.`,
		Example: "  jot config check --issuer https://auth.example.com --data ./data --resource petstore=pets:read",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			problems, doubts := problemsOf(given)
			for _, doubt := range doubts {
				warn(cmd, "%s", doubt)
			}
			for _, problem := range problems {
				say(cmd, "- %s", message(problem))
			}
			switch len(problems) {
			case 0:
				say(cmd, "the configuration is good")
				return nil
			case 1:
				return errors.New("the configuration has a mistake")
			}
			return fmt.Errorf("the configuration has %d mistakes", len(problems))
		},
		DisableFlagsInUseLine: true,
	}
	given.register(cmd)
	return cmd
}

// problemsOf looks at what a configuration says and at its files only when all of it could be read.
func problemsOf(given settingFlags) (problems, doubts []error) {
	c, err := given.load()
	if err == nil {
		err = errors.Join(c.Validate(), c.CheckFiles())
		doubts = c.Doubts()
	}
	return append(separate(err), c.Warnings...), doubts
}

// separate takes joined errors apart.
func separate(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, separate(one)...)
	}
	return all
}

func newConfigPrintCommand() *cobra.Command {
	var given settingFlags
	var defaults bool
	cmd := &cobra.Command{
		Use:   "print [--defaults] [FLAG...]",
		Short: "Print the configuration and where each setting comes from",
		Long: `Prints the configuration as it is in effect, with the same flags and environment as 'jot serve', and where each setting
comes from. Secrets and passwords aren't shown. With --defaults it's a file to begin with: every setting, what it
means, and its default.`,
		Example: `  jot config print --defaults > jot.toml
  jot config print --issuer https://auth.example.com`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if defaults {
				return config.WriteSample(cmd.OutOrStdout())
			}
			c, err := given.load()
			if err != nil {
				return err
			}
			return c.Write(cmd.OutOrStdout())
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().BoolVar(&defaults, "defaults", false, "print a file with every default instead")
	given.register(cmd)
	return cmd
}
