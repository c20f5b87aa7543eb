package issuer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// sealVersion begins what is sealed, so that another way of sealing can follow.
const sealVersion = 1

// sealer encrypts private keys at rest with AES-256-GCM under a key derived from the key-encryption key. A sealed key
// opens only as what it was sealed as: purpose, key ID and version are authenticated with it.
type sealer struct{ aead cipher.AEAD }

func newSealer(keyEncryptionKey []byte) (*sealer, error) {
	key, err := hkdf.Key(sha256.New, keyEncryptionKey, nil, "jot: private keys at rest", keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &sealer{aead}, err
}

func (s *sealer) seal(k Key, secret []byte) []byte {
	return s.aead.Seal([]byte{sealVersion}, nil, secret, sealContext(k))
}

func (s *sealer) open(k Key) ([]byte, error) {
	if len(k.Sealed) == 0 || k.Sealed[0] != sealVersion {
		return nil, fmt.Errorf("%s key %s is not sealed in a way that this version knows; was it written by a newer one?", k.Purpose, k.ID)
	}
	secret, err := s.aead.Open(nil, nil, k.Sealed[1:], sealContext(k))
	if err != nil {
		return nil, fmt.Errorf("the key-encryption key doesn't open the %s key %s: start with the key-encryption key that this "+
			"database was made with (where it is lost, restore it from its backup)", k.Purpose, k.ID)
	}
	return secret, nil
}

func sealContext(k Key) []byte {
	return append(appendText(appendText(nil, string(k.Purpose)), k.ID), k.Version)
}

// appendText appends a text with its length in front, so that no two lists of texts have the same bytes.
func appendText(b []byte, text string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}
