package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newKeyPublicCommand() *cobra.Command {
	var in keyInput
	var out keyOutput
	cmd := &cobra.Command{
		Use:   "public [--key FILE|-] [--alg ALG] [--out FILE] [--force]",
		Short: "Print the public part of a key",
		Long: `Print the public part of a key: what a verifier or a sender needs, and what
may be published. One key gives a JWK, a JWK Set gives a JWK Set.

Without --key the key comes from JOT_KEY or standard input. A symmetric key is
refused: it has no public part.`,
		Example: `  jot key public --key key.jwk
  jot key public --key key.pem --alg ES256
  jot key public --out public.jwk < key.jwk`,
		Args:                  in.argument,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return publishKey(cmd, in, out) },
		ValidArgsFunction:     completeFiles,
		DisableFlagsInUseLine: true,
	}
	in.addFlags(cmd)
	out.addFlags(cmd, "mode 0644")
	return cmd
}

func publishKey(cmd *cobra.Command, in keyInput, out keyOutput) error {
	file, err := in.load(cmd, forEither)
	if err != nil {
		return err
	}
	var public []publicKey
	for _, key := range file.keys {
		if key.public() == nil {
			return errSymmetric
		}
		public = append(public, key.public())
	}
	if file.isSet {
		return writeSet(cmd, public, out)
	}
	document, err := public[0].MarshalJSON()
	if err != nil {
		return err
	}
	return out.write(cmd, document, fmt.Sprint(public[0]))
}
