package vectors

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/jot-auth/jot/jwe"
)

var (
	keyManagement = []jwe.Algorithm{
		jwe.RSA_OAEP, jwe.RSA_OAEP_256, jwe.ECDH_ES, jwe.ECDH_ES_A128KW, jwe.ECDH_ES_A192KW, jwe.ECDH_ES_A256KW,
		jwe.A128KW, jwe.A192KW, jwe.A256KW, jwe.A128GCMKW, jwe.A192GCMKW, jwe.A256GCMKW, jwe.Dir,
		jwe.PBES2_HS256_A128KW, jwe.PBES2_HS384_A192KW, jwe.PBES2_HS512_A256KW,
	}
	contentEncryption = []jwe.Encryption{jwe.A128GCM, jwe.A192GCM, jwe.A256GCM, jwe.A128CBC_HS256, jwe.A192CBC_HS384, jwe.A256CBC_HS512}
)

// JWE judges encrypted messages, in every serialization.
func JWE(deviations map[string]string) Suite {
	return Suite{"JWE", openJWE, func(c *Case) *Text { return c.Plaintext }, deviations}
}

func openJWE(c *Case) ([]byte, error) {
	algorithms, encryptions := among(keyManagement, c.Algorithms), among(contentEncryption, c.Encryptions)
	if c.Has("dos") && len(algorithms) == 0 { // names none, and is a trap for whoever takes its word
		algorithms, encryptions = []jwe.Algorithm{jwe.PBES2_HS256_A128KW}, contentEncryption
	}
	if len(algorithms) == 0 || len(encryptions) == 0 {
		return nil, ErrNotOffered
	}
	key, err := c.decryptionKey(algorithms[0], encryptions[0])
	if err != nil {
		return nil, err
	}
	options := jwe.DecrypterOptions{Encryptions: encryptions, Decompress: c.compressed()}
	decrypter, err := jwe.NewDecrypter(options, key)
	if err != nil {
		return nil, err
	}
	message, err := decrypter.Decrypt(context.Background(), []byte(c.Token))
	if err != nil {
		return nil, err
	}
	return message.Plaintext(), nil
}

// among returns the names that are offered.
func among[Name ~string](offered []Name, names []string) (found []Name) {
	for _, name := range names {
		if slices.Contains(offered, Name(name)) {
			found = append(found, Name(name))
		}
	}
	return found
}

func (c *Case) decryptionKey(alg jwe.Algorithm, enc jwe.Encryption) (jwe.DecryptionKey, error) {
	if strings.HasPrefix(string(alg), "PBES2") {
		password, err := c.password()
		if err != nil {
			return nil, err
		}
		return jwe.NewPassword(alg, password, jwe.PasswordOptions{})
	}
	return parseDecryptionKey(c.JWK, alg, enc)
}

// password is the case's password, or the secret of its JWK, which some write instead.
func (c *Case) password() (Text, error) {
	if c.Password != nil {
		return *c.Password, nil
	}
	var key struct{ K Text }
	err := json.Unmarshal(c.JWK, &key)
	return key.K, err
}

func parseDecryptionKey(data []byte, alg jwe.Algorithm, enc jwe.Encryption) (jwe.DecryptionKey, error) {
	switch name := string(alg); {
	case alg == jwe.Dir:
		return jwe.ParseSecretKey(data, jwe.ParseOptions{Algorithm: alg, Encryption: enc})
	case strings.HasPrefix(name, "RSA"), strings.HasPrefix(name, "ECDH"):
		return jwe.ParsePrivateKey(data, jwe.ParseOptions{Algorithm: alg})
	}
	return jwe.ParseSecretKey(data, jwe.ParseOptions{Algorithm: alg})
}
