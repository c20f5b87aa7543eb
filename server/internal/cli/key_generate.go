package cli

import (
	"cmp"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
	"github.com/spf13/cobra"
)

func newKeyGenerateCommand() *cobra.Command {
	var alg, curve, bits, kid string
	var out keyOutput
	cmd := &cobra.Command{
		Use:   "generate [--alg ALG] [--crv CURVE | --bits N] [--kid ID] [--out FILE] [--force]",
		Short: "Make a private key",
		Long: `Make a private key, as a JWK.

For signing, ES256 is the right choice unless something else is asked for.
RS256 is for verifiers that know nothing newer, ML-DSA for those that must
withstand quantum computers. For encryption take ECDH-ES+A256KW. HS256 and its
like, A256KW and its like, and the content encryptions make a symmetric key,
which both sides share: whoever verifies or encrypts with it can sign or
decrypt with it too.

A file is written with mode 0600, never through a symbolic link, and never
over an existing one without --force.`,
		Example: `  jot key generate --out signing.jwk
  jot key generate --alg EdDSA --kid 2026-11 --out ed25519.jwk
  jot key generate --alg ECDH-ES+A256KW --out decryption.jwk
  jot key generate | jot key public`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkNames("alg", []string{alg}, keyAlgorithms); err != nil {
				return err
			}
			if err := errors.Join(checkCurve(alg, curve), checkBits(alg, bits)); err != nil {
				return err
			}
			return generateKey(cmd, alg, cmp.Or(curve, bits), kid, out)
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().StringVar(&alg, "alg", string(jot.ES256), "`ALG` of the key; to sign, one of\n"+list(signingAlgorithms)+
		";\nto encrypt, one of\n"+list(encryptionAlgorithms)+";\nto encrypt as alg dir, one of\n"+list(contentEncryptions))
	cmd.Flags().StringVar(&curve, "crv", "", "`CURVE` of a key for ECDH-ES, one of "+list(curves)+" (default P-256)")
	cmd.Flags().StringVar(&bits, "bits", "", "`N` bits of an RSA key: 2048, 3072 or 4096 (default 3072)")
	cmd.Flags().StringVar(&kid, "kid", "", "`ID` of the key (default the thumbprint, or a random one for a symmetric key)")
	out.addFlags(cmd, "mode 0600")
	return cmd
}

// list writes names on lines that fit a screen.
func list(names []string) string {
	text, width := "", 0
	for i, name := range names {
		if i > 0 {
			text += ","
			if width += len(name) + 2; width > 60 {
				text, width = text+"\n", 0
			} else {
				text += " "
			}
		}
		text += name
	}
	return text
}

func checkCurve(alg, curve string) error {
	if curve == "" {
		return nil
	}
	if !strings.HasPrefix(alg, string(jwe.ECDH_ES)) {
		return usagef("--crv is for ECDH-ES: the algorithm %s fixes its own", alg)
	}
	return checkNames("crv", []string{curve}, curves)
}

func checkBits(alg, bits string) error {
	if bits == "" {
		return nil
	}
	if !isRSA(alg) {
		return usagef("--bits is for RSA: the algorithm %s fixes its own", alg)
	}
	return checkNames("bits", []string{bits}, flagWords["bits"])
}

// isRSA reports whether an algorithm takes an RSA key, to sign or to encrypt.
func isRSA(alg string) bool {
	return strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")
}

// generateKey makes a key of a size, which is a curve or a number of bits; "" is the usual one.
func generateKey(cmd *cobra.Command, alg, size, kid string, out keyOutput) error {
	made, err := newKey(alg, size)
	if err != nil {
		return err
	}
	document, err := made.ExportJWK()
	if err != nil {
		return err
	}
	key, err := named(document, kid)
	if err != nil {
		return err
	}
	jwk, err := key.jwk()
	if err != nil {
		return err
	}
	return out.writeSecret(cmd, jwk, key.String())
}

// named reads a JWK, with another ID than its own where one is given.
func named(document []byte, kid string) (fileKey, error) {
	if kid == "" {
		return parseEitherKey(document, "", "")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil {
		return fileKey{}, err
	}
	delete(members, "kid")
	document, err := encodeJSON(members)
	if err != nil {
		return fileKey{}, err
	}
	return parseEitherKey(document, "", kid)
}

func newKey(alg, size string) (secretKey, error) {
	switch {
	case isRSA(alg):
		return newRSAKey(alg, cmp.Or(size, flagWords["bits"][0]))
	case jot.Algorithm(alg).Symmetric():
		return jot.GenerateSecretKey(jot.Algorithm(alg))
	case slices.Contains(signingAlgorithms, alg):
		return jot.GenerateKey(jot.Algorithm(alg))
	case slices.Contains(contentEncryptions, alg):
		return jwe.GenerateDirectKey(jwe.Encryption(alg))
	case strings.HasPrefix(alg, string(jwe.ECDH_ES)):
		return newAgreementKey(jwe.Algorithm(alg), size)
	}
	return jwe.GenerateSecretKey(jwe.Algorithm(alg))
}

func newRSAKey(alg, bits string) (secretKey, error) {
	size, err := strconv.Atoi(bits)
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, size)
	if err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	if slices.Contains(signingAlgorithms, alg) {
		return jot.NewPrivateKey(jot.Algorithm(alg), key, jot.KeyOptions{})
	}
	return jwe.NewPrivateKey(jwe.Algorithm(alg), key, jwe.KeyOptions{})
}

func newAgreementKey(alg jwe.Algorithm, curve string) (secretKey, error) {
	choice := map[string]ecdh.Curve{"": ecdh.P256(), "P-256": ecdh.P256(), "P-384": ecdh.P384(), "P-521": ecdh.P521(), "X25519": ecdh.X25519()}[curve]
	key, err := choice.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	return jwe.NewPrivateKey(alg, key, jwe.KeyOptions{})
}
