package cli

import (
	"slices"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
	"github.com/spf13/cobra"
)

// The names that a command line can say, the recommended one of each kind first.
var (
	signingAlgorithms = names(
		jot.ES256, jot.ES384, jot.ES512, jot.EdDSA, jot.Ed25519, jot.MLDSA44, jot.MLDSA65, jot.MLDSA87,
		jot.RS256, jot.RS384, jot.RS512, jot.PS256, jot.PS384, jot.PS512, jot.HS256, jot.HS384, jot.HS512,
	)
	encryptionAlgorithms = names(
		jwe.ECDH_ES_A256KW, jwe.ECDH_ES_A192KW, jwe.ECDH_ES_A128KW, jwe.ECDH_ES, jwe.RSA_OAEP_256, jwe.RSA_OAEP,
		jwe.A256KW, jwe.A192KW, jwe.A128KW, jwe.A256GCMKW, jwe.A192GCMKW, jwe.A128GCMKW,
	)
	contentEncryptions = names(
		jwe.A256GCM, jwe.A192GCM, jwe.A128GCM, jwe.A256CBC_HS512, jwe.A192CBC_HS384, jwe.A128CBC_HS256,
	)
)

// serverAlgorithms are those that a server signs with.
var serverAlgorithms = names(jot.ES256, jot.RS256, jot.EdDSA)

// passwordAlgorithms are those of jwe.Password, the one that jot encrypts with first.
var passwordAlgorithms = []jwe.Algorithm{jwe.PBES2_HS512_A256KW, jwe.PBES2_HS384_A192KW, jwe.PBES2_HS256_A128KW}

// A key that encrypts the content itself, without one of its own, goes by the name of the content encryption (RFC 7520
// §5.6).
var (
	encryptionKeyAlgorithms = slices.Concat(encryptionAlgorithms, contentEncryptions)
	keyAlgorithms           = slices.Concat(signingAlgorithms, encryptionKeyAlgorithms)
)

func names[Name ~string](list ...Name) []string {
	texts := make([]string, len(list))
	for i, name := range list {
		texts[i] = string(name)
	}
	return texts
}

// maxListed is how many names an error lists.
const maxListed = 20

// acceptedEncUsage is the help of --enc where a message is decrypted.
const acceptedEncUsage = "accept these content encryptions only, a comma-separated `LIST` (default all)"

func encryptionsOf(names []string) []jwe.Encryption {
	var list []jwe.Encryption
	for _, name := range names {
		list = append(list, jwe.Encryption(name))
	}
	return list
}

// checkNames refuses a value of a flag that isn't one of the offered names.
func checkNames(flag string, given, offered []string) error {
	for _, name := range given {
		switch {
		case slices.Contains(offered, name):
		case len(offered) > maxListed:
			return usagef("--%s %.20q is not offered here: take %s to sign, %s to encrypt, or another that --help lists", flag, name, signingAlgorithms[0], encryptionAlgorithms[0])
		default:
			return usagef("--%s %.20q is not offered here: choose among %s", flag, name, strings.Join(offered, ", "))
		}
	}
	return nil
}

// checkAlgorithm checks the --alg of a command that takes one, for keys that don't name theirs. None given means none.
func checkAlgorithm(name string, offered []string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	return []string{name}, checkNames("alg", []string{name}, offered)
}

// algorithmNames are what --alg of a command takes.
func algorithmNames(cmd *cobra.Command) []string {
	switch {
	case strings.HasPrefix(cmd.CommandPath(), cmd.Root().Name()+" admin "):
		return serverAlgorithms
	case cmd.Parent().Name() == "key":
		return keyAlgorithms
	case cmd.Name() == "encrypt", cmd.Name() == "decrypt":
		return encryptionKeyAlgorithms
	}
	return signingAlgorithms
}

// curves are those of ECDH-ES keys, the usual one first.
var curves = []string{"P-256", "P-384", "P-521", "X25519"}

// flagWords are the values of flags that are one of a few words.
var flagWords = map[string][]string{
	"bits":         {"3072", "2048", "4096"},
	"crv":          curves,
	"enc":          contentEncryptions,
	"encoding":     {"text", "base64url", "base64", "hex", "bytes"},
	"hash":         {"sha256", "sha384", "sha512"},
	"password-alg": names(passwordAlgorithms...),
	"purpose":      {"access", "feed"},
	"repeat":       {"iss", "sub", "aud"},
	"state":        {"next", "active", "retiring", "retired", "revoked"},
	"to":           {"jwk", "pem"},

	"log-format": {"auto", "json", "text"},
	"log-level":  {"debug", "info", "warn", "error"},
}
