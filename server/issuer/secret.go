package issuer

// SealSecret seals a secret that is kept beside a subject, such as the one of its one-time codes, under the key-encryption key. It opens only for the same
// purpose and ID.
func (i *Issuer) SealSecret(purpose, id string, secret []byte) []byte {
	return i.sealer.seal(secretKey(purpose, id, nil), secret)
}

// OpenSecret opens what SealSecret made, also under an older key-encryption key: then current is false, and it should be sealed anew.
func (i *Issuer) OpenSecret(purpose, id string, sealed []byte) (secret []byte, current bool, err error) {
	key := secretKey(purpose, id, sealed)
	secret, err = i.sealer.open(key)
	return secret, i.sealer.current(key), err
}

// OpenSecret opens what Issuer.SealSecret made, under one of these key-encryption keys.
func OpenSecret(purpose, id string, sealed []byte, keyEncryptionKeys ...[]byte) ([]byte, error) {
	sealer, err := newSealer(keyEncryptionKeys...)
	if err != nil {
		return nil, err
	}
	return sealer.open(secretKey(purpose, id, sealed))
}

// secretKey is a secret as the sealer takes it. No key has such a purpose.
func secretKey(purpose, id string, sealed []byte) Key {
	return Key{Purpose: Purpose("secret of " + purpose), ID: id, Sealed: sealed}
}
