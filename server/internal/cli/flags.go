package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// explainFlag says what was probably meant by a flag that doesn't exist, or by a value that doesn't fit.
func explainFlag(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		message := fmt.Sprintf("there is no flag --%.40s", unknown.GetSpecifiedName())
		if near := nearFlags(cmd, unknown.GetSpecifiedName()); len(near) > 0 {
			message += "; did you mean " + strings.Join(near, " or ") + "?"
		}
		return usagef("%s", message)
	}
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok && wrong.GetFlag().Value.Type() == "duration" {
		return usagef("--%s %.20q is no duration: write %s", wrong.GetFlag().Name, wrong.GetValue(), durationLike(wrong.GetValue()))
	}
	return usagef("%s", err)
}

// refuseFlags refuses flags that don't go with the others, and says where they belong.
func refuseFlags(cmd *cobra.Command, foreign []string, belongs string) error {
	for _, name := range foreign {
		if cmd.Flags().Changed(name) {
			return usagef("--%s %s", name, belongs)
		}
	}
	return nil
}

// nearFlags are the flags of a command that a name is close to, as cobra finds the commands that are, and those that it
// goes on from.
func nearFlags(cmd *cobra.Command, name string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: 1}
	var near []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		switch {
		case flag.Hidden:
		case strings.HasPrefix(name, flag.Name):
			near = append(near, "--"+flag.Name)
		default:
			names.AddCommand(&cobra.Command{Use: flag.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	for _, flag := range names.SuggestionsFor(name) {
		near = append(near, "--"+flag)
	}
	return near
}

// plainDuration is a number without a unit, or with one that time.ParseDuration doesn't know, since a day may have 23
// hours.
var plainDuration = regexp.MustCompile(`^(-?\d{1,5})([dw]?)$`)

// durationLike is a duration as it's written, the one that was probably meant if it can be told.
func durationLike(value string) string {
	parts := plainDuration.FindStringSubmatch(value)
	if parts == nil {
		return "90s, 15m or 24h"
	}
	number, _ := strconv.Atoi(parts[1]) // digits
	switch parts[2] {
	case "d":
		return fmt.Sprintf("%dh", 24*number)
	case "w":
		return fmt.Sprintf("%dh", 7*24*number)
	}
	return fmt.Sprintf("%ds", number)
}
