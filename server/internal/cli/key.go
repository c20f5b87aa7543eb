package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

func newKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key COMMAND",
		Short: "Make keys, and publish their public part",
		Long: `Make keys, and publish their public part.

A key is a JWK (RFC 7517), a JWK Set, or PEM. A key that jot makes names its
algorithm and its key ID, so that no token can choose for it.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("which? key generate, or key public")
			}
			return unknownCommand(cmd, args[0])
		},
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(newKeyGenerateCommand(), newKeyPublicCommand())
	return cmd
}

// keyOutput is where a key goes.
type keyOutput struct {
	file  string
	force bool
}

func (o *keyOutput) addFlags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&o.file, "out", "", "write to `FILE` (mode 0600), not to standard output")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace FILE when it exists")
}

// write writes a key to the file, and tells so, or to standard output.
func (o keyOutput) write(cmd *cobra.Command, key []byte, what string) error {
	key = printableJSON(key) // a key ID may hold anything
	if o.file == "" || o.file == "-" {
		return printLine(cmd, key)
	}
	if err := writeSecretFile(o.file, append(key, '\n'), o.force); err != nil {
		return err
	}
	say(cmd, "wrote %s to %s", what, o.file)
	return nil
}

func newKeyGenerateCommand() *cobra.Command {
	var alg string
	var out keyOutput
	cmd := &cobra.Command{
		Use:   "generate [--alg ALG] [--out FILE] [--force]",
		Short: "Make a private key",
		Long: `Make a private key, as a JWK.

ES256 is the right choice unless something else is asked for. RS256 is for
verifiers that know nothing newer. HS256, HS384 and HS512 make a symmetric
key: whoever verifies with it can sign with it too.

A file is written with mode 0600, never through a symbolic link, and never
over an existing one without --force.`,
		Example: `  jot key generate --out signing.jwk
  jot key generate --alg EdDSA --out ed25519.jwk
  jot key generate | jot key public`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			alg, err := parseAlgorithm(alg)
			if err != nil {
				return err
			}
			return generateKey(cmd, alg, out)
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().StringVar(&alg, "alg", string(jot.ES256), "`ALG` of the key:\n"+joinAlgorithms(algorithms))
	out.addFlags(cmd)
	return cmd
}

// exportableKey is a key that signs and can be written down.
type exportableKey interface {
	ExportJWK() ([]byte, error)
}

func generateKey(cmd *cobra.Command, alg jot.Algorithm, out keyOutput) error {
	key, err := newKey(alg)
	if err != nil {
		return err
	}
	jwk, err := key.ExportJWK()
	if err != nil {
		return err
	}
	if file, ok := cmd.OutOrStdout().(*os.File); ok && out.file == "" && isTerminal(file) {
		warn(cmd, "this is a private key, and it stays on your screen: prefer --out FILE")
	}
	return out.write(cmd, jwk, fmt.Sprint(key))
}

func newKey(alg jot.Algorithm) (exportableKey, error) {
	if alg.Symmetric() {
		return jot.GenerateSecretKey(alg)
	}
	return jot.GenerateKey(alg)
}

func newKeyPublicCommand() *cobra.Command {
	var name, alg string
	var out keyOutput
	cmd := &cobra.Command{
		Use:   "public [--key FILE|-] [--alg ALG] [--out FILE] [--force]",
		Short: "Print the public part of a key",
		Long: `Print the public part of a key: what a verifier needs, and what may be
published. One key gives a JWK, a JWK Set gives a JWK Set.

Without --key the key comes from JOT_KEY or standard input. A symmetric key is
refused: it has no public part.`,
		Example: `  jot key public --key key.jwk
  jot key public --key key.pem --alg ES256
  jot key public --out public.jwk < key.jwk`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			allowed, err := parseOptionalAlgorithm(alg)
			if err != nil {
				return err
			}
			if name == "" && os.Getenv("JOT_KEY") == "" {
				name = "-"
			}
			return publishKey(cmd, name, allowed, out)
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().StringVar(&name, "key", "", "key `FILE`: JWK, JWK Set or PEM, - for standard input")
	cmd.Flags().StringVar(&alg, "alg", "", "`ALG` of a key that doesn't name its own, as PEM never does")
	out.addFlags(cmd)
	return cmd
}

func publishKey(cmd *cobra.Command, name string, allowed []jot.Algorithm, out keyOutput) error {
	file, err := loadKeys(cmd, name, allowed)
	if err != nil {
		return err
	}
	public := make([]*jot.PublicKey, len(file.keys))
	for i, key := range file.keys {
		if key.public == nil {
			return errors.New("a symmetric key has no public part: whoever verifies with it can sign too, so share it only in secret")
		}
		public[i] = key.public
	}
	if file.isSet {
		return writePublic(cmd, jot.NewKeySet(public...), fmt.Sprintf("a set of %d public keys", len(public)), out)
	}
	return writePublic(cmd, public[0], fmt.Sprint(public[0]), out)
}

func writePublic(cmd *cobra.Command, public json.Marshaler, what string, out keyOutput) error {
	document, err := public.MarshalJSON()
	if err != nil {
		return err
	}
	return out.write(cmd, document, what)
}

// parseOptionalAlgorithm checks the --alg of a command that takes one, for keys that don't name theirs.
func parseOptionalAlgorithm(name string) ([]jot.Algorithm, error) {
	if name == "" {
		return nil, nil
	}
	return parseAlgorithms([]string{name})
}
