package jwe

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
