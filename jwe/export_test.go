package jwe

import (
	"strings"

	"github.com/jot-auth/jot/internal/jwk"
)

// ForgeForTest encrypts under any protected header, however wrong, with a key of algorithm Dir. The parts are encoded.
func ForgeForTest(key *SecretKey, header, plaintext, additional string) (protected, iv, ciphertext, tag string, err error) {
	protected = base64URL([]byte(header))
	authenticated := protected
	if additional != "" {
		authenticated += "." + base64URL([]byte(additional))
	}
	s, err := key.content.seal(key.secret(), []byte(plaintext), []byte(authenticated))
	return protected, base64URL(s.iv), base64URL(s.ciphertext), base64URL(s.tag), err
}

// WrapForTest wraps a content's key of algorithm A256KW by hand.
func WrapForTest(wrapping *SecretKey, key *SecretKey) (string, error) {
	wrapped, err := wrapKey(wrapping.secret(), key.secret())
	return base64URL(wrapped), err
}

// ForgeAgreedForTest encrypts with A128GCM for a key of algorithm ECDH-ES, as if that had agreed on the shared secret.
func ForgeAgreedForTest(key *PublicKey, shared []byte, plaintext string) (string, error) {
	epk, err := jwk.MarshalPublic(portable(key.material), jwk.Description{})
	if err != nil {
		return "", err
	}
	c := contentOf(A128GCM)
	protected := base64URL([]byte(`{"alg":"ECDH-ES","enc":"A128GCM","epk":` + string(epk) + `}`))
	s, err := c.seal(agreedKey(key.scheme, shared, &wrapping{}, c), []byte(plaintext), []byte(protected))
	return strings.Join([]string{protected, "", base64URL(s.iv), base64URL(s.ciphertext), base64URL(s.tag)}, "."), err
}
