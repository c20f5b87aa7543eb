package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

// convertSecret writes the JWK of a secret that stands in a file by itself.
func convertSecret(cmd *cobra.Command, in keyInput, form, kid, encoding string, out keyOutput) error {
	switch {
	case form != "jwk":
		return errNoPEM
	case in.alg == "":
		return usagef("what is the secret for? say --alg HS256, or another algorithm of a symmetric key")
	case !isSymmetric(in.alg):
		return usagef("--encoding is for a secret, and --alg %.20q is not an algorithm of a symmetric key", in.alg)
	}
	if err := checkNames("encoding", []string{encoding}, flagWords["encoding"]); err != nil {
		return err
	}
	file, source := in.file, in.file
	if file == "" || file == "-" {
		file, source = "-", "standard input"
	} else {
		warnIfExposed(cmd, file, "a secret")
	}
	data, err := readInput(cmd, file, "a secret", maxInput)
	if err != nil {
		return err
	}
	secret, err := decodeSecret(data, encoding)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	document, err := encodeJSON(map[string]string{"kty": "oct", "alg": in.alg, "k": base64.RawURLEncoding.EncodeToString(secret)})
	if err != nil {
		return err
	}
	key, err := parseEitherKey(document, "", kid)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	jwk, err := key.jwk()
	if err != nil {
		return err
	}
	return out.writeSecret(cmd, jwk, key.String())
}

// isSymmetric reports whether a secret can be a key for an algorithm that jot offers.
func isSymmetric(alg string) bool {
	return jot.Algorithm(alg).Symmetric() || slices.Contains(encryptionKeyAlgorithms, alg) && !strings.HasPrefix(alg, "ECDH") && !strings.HasPrefix(alg, "RSA")
}

// decodeSecret never quotes what it reads.
func decodeSecret(data []byte, encoding string) ([]byte, error) {
	if encoding == "bytes" {
		return data, nil
	}
	line := trimLine(data)
	if bytes.ContainsAny(line, "\r\n") {
		return nil, errors.New("the secret is to stand on one line; for bytes as they are, say --encoding bytes")
	}
	if encoding == "text" {
		return line, nil
	}
	decode := map[string]func(string) ([]byte, error){
		"hex": hex.DecodeString, "base64": decodeAnyBase64(base64.StdEncoding), "base64url": decodeAnyBase64(base64.URLEncoding),
	}[encoding]
	secret, err := decode(string(line))
	if err != nil {
		return nil, fmt.Errorf("this is not %s", encoding)
	}
	return secret, nil
}

// decodeAnyBase64 takes an alphabet with its padding or without any.
func decodeAnyBase64(padded *base64.Encoding) func(string) ([]byte, error) {
	return func(text string) ([]byte, error) {
		if !strings.HasSuffix(text, "=") {
			return padded.WithPadding(base64.NoPadding).Strict().DecodeString(text)
		}
		return padded.Strict().DecodeString(text)
	}
}
