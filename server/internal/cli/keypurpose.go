package cli

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
	"github.com/jot-auth/jot/strictjson"
)

// purpose is what the keys of a file are wanted for.
type purpose struct {
	name       string
	algorithms []string // that there are, the recommended one first
	parse      func(data []byte, alg, kid string) (fileKey, error)
	unbound    bool   // the algorithm makes no difference
	beside     bool   // another key is the command's first, and --alg is for that one
	keyID      string // of a key that has none and stands alone
}

// naming gives a key that has no ID this one.
func (p purpose) naming(kid string) purpose {
	p.keyID = kid
	return p
}

var (
	forSigning    = purpose{name: "signing", algorithms: signingAlgorithms, parse: parseSigningKey}
	forCosigning  = purpose{name: "signing", algorithms: signingAlgorithms, parse: parseSigningKey, beside: true}
	forEncryption = purpose{name: "encryption", algorithms: encryptionKeyAlgorithms, parse: parseEncryptionKey}
	forNesting    = purpose{name: "encryption", algorithms: encryptionKeyAlgorithms, parse: parseEncryptionKey, beside: true}
	forEither     = purpose{name: "signing or encryption", algorithms: keyAlgorithms, parse: parseEitherKey}
	forMaterial   = purpose{name: "any use", algorithms: keyAlgorithms, parse: parseEitherKey, unbound: true}
)

func parseSigningKey(data []byte, alg, kid string) (fileKey, error) {
	options := jot.ParseOptions{Algorithm: jot.Algorithm(alg), KeyID: kid}
	switch secret, private := keyKind(data); {
	case secret:
		key, err := jot.ParseSecretKey(data, options)
		if err != nil {
			return fileKey{}, err
		}
		return fileKey{signing: key}, nil
	case private:
		key, err := jot.ParsePrivateKey(data, options)
		if err != nil {
			return fileKey{}, err
		}
		return fileKey{signing: key, verifying: key.Public()}, nil
	}
	key, err := jot.ParsePublicKey(data, options)
	return fileKey{verifying: key}, err
}

func parseEncryptionKey(data []byte, alg, kid string) (fileKey, error) {
	options := jwe.ParseOptions{Algorithm: jwe.Algorithm(alg), KeyID: kid}
	if slices.Contains(contentEncryptions, alg) {
		options.Algorithm, options.Encryption = jwe.Dir, jwe.Encryption(alg)
	}
	switch secret, private := keyKind(data); {
	case secret:
		key, err := jwe.ParseSecretKey(data, options)
		if err != nil {
			return fileKey{}, err
		}
		return fileKey{encrypting: key, decrypting: key}, nil
	case private:
		key, err := jwe.ParsePrivateKey(data, options)
		if err != nil {
			return fileKey{}, err
		}
		return fileKey{encrypting: key.Public(), decrypting: key}, nil
	}
	key, err := jwe.ParsePublicKey(data, options)
	if err != nil {
		return fileKey{}, err
	}
	return fileKey{encrypting: key}, nil
}

// parseEitherKey goes by the algorithm, or else by what a JWK says that it's for.
func parseEitherKey(data []byte, alg, kid string) (fileKey, error) {
	says := labelOf(data)
	if alg == "" && (says.Use == "enc" || slices.Contains(encryptionKeyAlgorithms, says.Algorithm)) || slices.Contains(encryptionKeyAlgorithms, alg) {
		return parseEncryptionKey(data, alg, kid)
	}
	return parseSigningKey(data, alg, kid)
}

// keyLabel is what a JWK says of itself (RFC 7517 §4), unchecked.
type keyLabel struct {
	Type      string          `json:"kty"`
	Use       string          `json:"use"`
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	Curve     string          `json:"crv"`
	Private   json.RawMessage `json:"d"`
	Seed      json.RawMessage `json:"priv"` // of ML-DSA (RFC 9964)
}

// labelOf is empty for what isn't a JWK.
func labelOf(data []byte) keyLabel {
	var label keyLabel
	if isPEM(data) || strictjson.Unmarshal(data, &label) != nil {
		return keyLabel{}
	}
	return label
}

// looksLikeKey reports whether a text is JSON or PEM, which a file's name is not.
func looksLikeKey(data []byte) bool {
	return isPEM(data) || bytes.HasPrefix(bytes.TrimSpace(data), []byte("{"))
}

// isKey reports whether a text is a key or a set of keys. Whether it's a sound one is another question.
func isKey(text string) bool {
	_, set := parseSet([]byte(text))
	return set || isPEM([]byte(text)) || labelOf([]byte(text)).Type != ""
}

// isPEM reports whether a text is PEM, with or without a description before it, as OpenSSL writes some.
func isPEM(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN ")) || bytes.Contains(data, []byte("\n-----BEGIN "))
}

// keyKind tells which parser a key is for; the parser then judges it.
func keyKind(data []byte) (secret, private bool) {
	if isPEM(data) {
		return false, bytes.Contains(data, []byte("PRIVATE KEY-----"))
	}
	label := labelOf(data)
	return label.Type == "oct", label.Private != nil || label.Seed != nil
}
