package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newKeyJWKSCommand() *cobra.Command {
	var files, algorithms []string
	var out keyOutput
	cmd := &cobra.Command{
		Use:   "jwks [--alg LIST] [--out FILE] [--force] FILE|-...",
		Short: "Make one public JWK Set of several keys",
		Long: `Make one public JWK Set of several keys, to be published: of a private key it
holds the public part. Signing keys and encryption keys may stand side by side.

A symmetric key is refused, and so are two keys with one key ID, among which
nobody could choose. A key that is given twice is left out the second time, and
of a set the keys that can't be used; each is named on standard error.`,
		Example: `  jot key jwks key.jwk decryption.jwk --out published.json
  jot key jwks --alg ES256 public.pem`,
		Args: func(_ *cobra.Command, args []string) error {
			files = append(files, args...)
			if len(files) == 0 {
				return usagef("which keys? give their files")
			}
			return readOnce(files...)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkNames("alg", algorithms, keyAlgorithms); err != nil {
				return err
			}
			keys, err := gatherPublic(cmd, files, algorithms)
			if err != nil {
				return err
			}
			return writeSet(cmd, keys, out)
		},
		ValidArgsFunction:     completeFiles,
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().StringSliceVar(&algorithms, "alg", nil, "algorithms of keys that don't name theirs, a comma-separated `LIST`")
	out.addFlags(cmd, "mode 0644")
	cmd.Flags().StringArrayVar(&files, "key", nil, "key `FILE`, as the other commands take it")
	cobra.CheckErr(cmd.Flags().MarkHidden("key")) // fails for a flag that isn't the command's
	return cmd
}

// gatherPublic reads the keys of all files, each once.
func gatherPublic(cmd *cobra.Command, files, algorithms []string) ([]publicKey, error) {
	var keys []publicKey
	seen := map[string]string{} // JWK by key ID
	for _, name := range files {
		file, err := loadKeys(cmd, name, forEither, algorithms)
		if err != nil {
			return nil, err
		}
		for _, key := range file.keys {
			public := key.public()
			if public == nil {
				return nil, fmt.Errorf("%s: %w", name, errSymmetric)
			}
			document, err := public.MarshalJSON()
			if err != nil {
				return nil, err
			}
			switch before, taken := seen[public.KeyID()]; {
			case taken && before == string(document):
				warn(cmd, "left out %v of %s, which is there already", public, name)
			case taken:
				return nil, fmt.Errorf("%s: the key ID %q is another key's already: make the ID of one of them unique", name, public.KeyID())
			default:
				seen[public.KeyID()] = string(document)
				keys = append(keys, public)
			}
		}
	}
	return keys, nil
}

// writeSet writes a JWK Set (RFC 7517 §5).
func writeSet(cmd *cobra.Command, keys []publicKey, out keyOutput) error {
	document, err := encodeJSON(map[string][]publicKey{"keys": keys})
	if err != nil {
		return err
	}
	return out.write(cmd, document, fmt.Sprintf("a set of %d public keys", len(keys)))
}
