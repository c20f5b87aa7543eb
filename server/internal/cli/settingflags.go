package cli

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server/internal/config"
)

// settingFlags are the settings that were given on the command line, and the file that was named there.
type settingFlags struct {
	file  string
	given []config.Flag
}

// register adds --config and a flag for each setting that has one, or for those of these paths only.
func (f *settingFlags) register(cmd *cobra.Command, only ...string) {
	cmd.Flags().StringVar(&f.file, "config", "", "configuration `FILE`, in TOML (default $"+config.FileVariable+")")
	for _, s := range config.Settings() {
		if s.Flag == "" || len(only) > 0 && !slices.Contains(only, s.Path) {
			continue
		}
		flag := cmd.Flags().VarPF(&settingFlag{setting: s, into: &f.given}, s.Flag, "", flagUsage(s))
		flag.DefValue = s.Default()
		if s.Value == "" {
			flag.NoOptDefVal = "true"
		}
	}
}

// flagUsage is the first sentence of what a setting means.
func flagUsage(s config.Setting) string {
	usage, _, _ := strings.Cut(s.Doc, ". ")
	usage = uncapitalized(strings.TrimSuffix(usage, "."))
	if s.Repeated() {
		usage += "; may be repeated"
	}
	return usage
}

// load reads the file, the environment and the flags.
func (f settingFlags) load() (*config.Loaded, error) {
	return config.Load(config.Sources{File: cmp.Or(f.file, os.Getenv(config.FileVariable)), Environ: os.Environ(), Flags: f.given})
}

// settingFlag implements pflag.Value: it notes what was given, and package config judges it.
type settingFlag struct {
	setting config.Setting
	into    *[]config.Flag
}

func (f *settingFlag) String() string { return "" }

func (f *settingFlag) Set(text string) error {
	*f.into = append(*f.into, config.Flag{Path: f.setting.Path, Text: text})
	return nil
}

// Type is what a help text calls the value.
func (f *settingFlag) Type() string { return cmp.Or(f.setting.Value, "bool") }
