package cli

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

func newKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key COMMAND",
		Short: "Make keys, convert them, and publish their public part",
		Long: `Make keys, convert them, and publish their public part.

A key is a JWK (RFC 7517), a JWK Set, or PEM. A key that jot makes names its
algorithm and its key ID, so that no token can choose for it: one algorithm,
either for signing or for encryption.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("which? key generate, public, convert, thumbprint or jwks")
			}
			return unknownCommand(cmd, args[0])
		},
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(newKeyGenerateCommand(), newKeyPublicCommand(), newKeyConvertCommand(), newKeyThumbprintCommand(), newKeyJWKSCommand())
	return cmd
}

// keyInput is the key that a command is about.
type keyInput struct{ file, alg string }

func (i *keyInput) addFlags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&i.file, "key", "", "key `FILE`: JWK, JWK Set or PEM, - for standard input")
	cmd.Flags().StringVar(&i.alg, "alg", "", "`ALG` of a key that doesn't name its own, as PEM never does")
}

// argument accepts the key's file as an argument too, which is how other tools are called.
func (i *keyInput) argument(_ *cobra.Command, args []string) error {
	switch {
	case len(args) > 1 || len(args) == 1 && i.file != "":
		return usagef("one key at a time: give one --key FILE")
	case len(args) == 1:
		i.file = args[0]
	}
	return nil
}

// load reads the key from its file, from JOT_KEY or from standard input.
func (i keyInput) load(cmd *cobra.Command, p purpose) (keyFile, error) {
	allowed, err := checkAlgorithm(i.alg, keyAlgorithms)
	if err != nil {
		return keyFile{}, err
	}
	if i.file == "" && os.Getenv("JOT_KEY") == "" {
		i.file = "-"
	}
	return loadKeys(cmd, i.file, p, allowed)
}

// keyOutput is where a key goes.
type keyOutput struct {
	file  string
	force bool
}

// addFlags adds the flags. The mode is what the help says of the file's.
func (o *keyOutput) addFlags(cmd *cobra.Command, mode string) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&o.file, "out", "", "write to `FILE` ("+mode+"), not to standard output")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace FILE when it exists")
}

// write writes a public key to the file, and tells so, or to standard output.
func (o keyOutput) write(cmd *cobra.Command, key []byte, what string) error {
	return o.writeMode(cmd, key, what, publicMode)
}

func (o keyOutput) writeMode(cmd *cobra.Command, key []byte, what string, mode fs.FileMode) error {
	key = printableJSON(key) // a key ID may hold anything
	if o.file == "" || o.file == "-" {
		return printLine(cmd, key)
	}
	if err := writeKeyFile(o.file, append(key, '\n'), mode, o.force); err != nil {
		return err
	}
	say(cmd, "wrote %s to %s", what, o.file)
	return nil
}

// writeSecret is write for a private or symmetric key, of which a screen is warned.
func (o keyOutput) writeSecret(cmd *cobra.Command, key []byte, what string) error {
	if file, ok := cmd.OutOrStdout().(*os.File); ok && o.file == "" && isTerminal(file) {
		warn(cmd, "this is a private key, and it stays on your screen: prefer --out FILE")
	}
	return o.writeMode(cmd, key, what, secretMode)
}

// errSymmetric is a symmetric key where a public one is asked for.
var errSymmetric = errors.New("a symmetric key has no public part: whoever has it can sign or decrypt too, so share it only in secret")
