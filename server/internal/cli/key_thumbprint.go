package cli

import (
	"crypto"
	"encoding/base64"

	"github.com/spf13/cobra"
)

// thumbprintHashes are the hashes of --hash, and their names in a URI (RFC 9278 §3).
var thumbprintHashes = map[string]struct {
	hash crypto.Hash
	name string
}{
	"sha256": {crypto.SHA256, "sha-256"}, "sha384": {crypto.SHA384, "sha-384"}, "sha512": {crypto.SHA512, "sha-512"},
}

func newKeyThumbprintCommand() *cobra.Command {
	var in keyInput
	var hash string
	var uri bool
	cmd := &cobra.Command{
		Use:   "thumbprint [--key FILE|-] [--hash HASH] [--uri]",
		Short: "Print the thumbprint of a key",
		Long: `Print the thumbprint of a key (RFC 7638), a line for each key of a JWK Set: a
digest of its public part, the same whatever the key's ID and algorithm. The key
ID of a key that has none is its SHA-256 thumbprint.

Without --key the key comes from JOT_KEY or standard input. A symmetric key is
refused: a digest of it would let anybody try guesses.`,
		Example: `  jot key thumbprint --key key.jwk
  jot key thumbprint --key public.pem --hash sha512
  jot key thumbprint --uri < public.jwk`,
		Args: in.argument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkNames("hash", []string{hash}, flagWords["hash"]); err != nil {
				return err
			}
			return printThumbprints(cmd, in, hash, uri)
		},
		ValidArgsFunction:     completeFiles,
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&in.file, "key", "", "key `FILE`: JWK, JWK Set or PEM, - for standard input")
	cmd.Flags().StringVar(&hash, "hash", "sha256", "`HASH` to make it with: sha256, sha384 or sha512")
	cmd.Flags().BoolVar(&uri, "uri", false, "print it as a URI (RFC 9278)")
	return cmd
}

func printThumbprints(cmd *cobra.Command, in keyInput, hash string, uri bool) error {
	file, err := in.load(cmd, forMaterial)
	if err != nil {
		return err
	}
	chosen := thumbprintHashes[hash]
	for _, key := range file.keys {
		if key.public() == nil {
			return errSymmetric
		}
		digest, err := key.public().Thumbprint(chosen.hash)
		if err != nil {
			return err
		}
		text := base64.RawURLEncoding.EncodeToString(digest)
		if uri {
			text = "urn:ietf:params:oauth:jwk-thumbprint:" + chosen.name + ":" + text
		}
		if err := printLine(cmd, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}
