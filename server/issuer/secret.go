package issuer

import "fmt"

// Secrets seals what is kept beside a subject, such as the secret of its one-time codes, under a key-encryption key.
type Secrets struct{ sealer *sealer }

// NewSecrets makes Secrets that seal under the first of these key-encryption keys, and open what was sealed under any
// of them. It fails for keys of another size than 32 bytes.
func NewSecrets(keyEncryptionKeys ...[]byte) (Secrets, error) {
	for _, key := range keyEncryptionKeys {
		if len(key) != keySize {
			return Secrets{}, fmt.Errorf("issuer: a key-encryption key has %d bytes, want %d", len(key), keySize)
		}
	}
	sealer, err := newSealer(keyEncryptionKeys...)
	return Secrets{sealer}, err
}

// SealSecret seals a secret. It opens only for the same purpose and ID.
func (s Secrets) SealSecret(purpose, id string, secret []byte) []byte {
	return s.sealer.seal(secretKey(purpose, id, nil), secret)
}

// OpenSecret opens what SealSecret made, also under an older key-encryption key: then current is false, and it should
// be sealed anew.
func (s Secrets) OpenSecret(purpose, id string, sealed []byte) (secret []byte, current bool, err error) {
	key := secretKey(purpose, id, sealed)
	secret, err = s.sealer.open(key)
	return secret, s.sealer.current(key), err
}

// SealSecret is Secrets.SealSecret, under the issuer's key-encryption keys.
func (i *Issuer) SealSecret(purpose, id string, secret []byte) []byte {
	return Secrets{i.sealer}.SealSecret(purpose, id, secret)
}

// OpenSecret is Secrets.OpenSecret, under the issuer's key-encryption keys.
func (i *Issuer) OpenSecret(purpose, id string, sealed []byte) (secret []byte, current bool, err error) {
	return Secrets{i.sealer}.OpenSecret(purpose, id, sealed)
}

// secretKey is a secret as the sealer takes it. No key has such a purpose.
func secretKey(purpose, id string, sealed []byte) Key {
	return Key{Purpose: Purpose("secret of " + purpose), ID: id, Sealed: sealed}
}
