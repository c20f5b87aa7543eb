package cli

import (
	"crypto"
	"encoding/base64"
	"encoding/json"

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
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkNames("hash", []string{hash}, flagWords["hash"]); err != nil {
				return err
			}
			return printThumbprints(cmd, in, hash, uri)
		},
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
		digest, err := thumbprint(key.public(), chosen.hash)
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

// thumbprintMembers are those that every public key of a type has, and that are digested (RFC 7638 §3.2, RFC 8037 §2, RFC 9964 §6).
var thumbprintMembers = map[string][]string{
	"EC": {"crv", "kty", "x", "y"}, "RSA": {"e", "kty", "n"}, "OKP": {"crv", "kty", "x"}, "AKP": {"alg", "kty", "pub"},
}

// thumbprint digests the key as the library writes it, which has checked it.
func thumbprint(key publicKey, hash crypto.Hash) ([]byte, error) {
	document, err := key.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var jwk map[string]any
	if err := json.Unmarshal(document, &jwk); err != nil {
		return nil, err
	}
	required := map[string]any{}
	for _, name := range thumbprintMembers[jwk["kty"].(string)] {
		required[name] = jwk[name]
	}
	canonical, err := json.Marshal(required) // sorts the names
	if err != nil {
		return nil, err
	}
	digest := hash.New()
	digest.Write(canonical)
	return digest.Sum(nil), nil
}
