package cli

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// dashedHash is the ID of a key or an invitation, a SHA-256 hash in base64url, that begins with a dash, as one in 64
// does.
var dashedHash = regexp.MustCompile(`^-[\w-]{42}$`)

// separateDashedHashes puts the flags of a command first, and "--" between them and the other arguments, where one of
// those is a hash that would be taken for a flag.
func separateDashedHashes(root *cobra.Command, args []string) []string {
	if !slices.ContainsFunc(args, dashedHash.MatchString) {
		return args
	}
	cmd, rest, err := root.Find(args)
	if err != nil {
		return args
	}
	cmd.InheritedFlags() // adds them to those of the command
	var flags, others []string
	for i := 0; i < len(rest); i++ {
		switch arg := rest[i]; {
		case arg == "--":
			others, i = append(others, rest[i+1:]...), len(rest)
		case len(arg) < 2 || arg[0] != '-' || dashedHash.MatchString(arg):
			others = append(others, arg)
		default:
			flags = append(flags, arg)
			if takesNext(cmd.Flags(), arg) && i+1 < len(rest) {
				i++
				flags = append(flags, rest[i])
			}
		}
	}
	path := strings.Fields(cmd.CommandPath())[1:]
	return slices.Concat(path, flags, []string{"--"}, others)
}

// takesNext reports whether the argument after a flag is its value.
func takesNext(known *pflag.FlagSet, arg string) bool {
	name, long := strings.CutPrefix(arg, "--")
	var flag *pflag.Flag
	if long {
		flag = known.Lookup(name)
	} else if len(arg) == 2 {
		flag = known.ShorthandLookup(arg[1:])
	}
	return flag != nil && flag.NoOptDefVal == ""
}
