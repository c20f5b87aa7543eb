package issuer

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
)

// sealVersion begins what is sealed, so that another way of sealing can follow.
const sealVersion = 2

// kekIDSize is the size of a key-encryption key's ID, in bytes.
const kekIDSize = 8

// sealer encrypts private keys at rest with AES-256-GCM under a key derived from the key-encryption key:
//
//	version (1 byte) ‖ ID of the key-encryption key (8) ‖ nonce (12) ‖ ciphertext and tag
//
// A sealed key opens only as what it was sealed as: purpose, key ID and version are authenticated with it. The ID of
// the key-encryption key is derived from it as well, and tells nothing about it.
type sealer struct {
	keys []sealingKey // the first one seals, all of them open
}

type sealingKey struct {
	id   []byte
	aead cipher.AEAD
}

func newSealer(keyEncryptionKeys ...[]byte) (*sealer, error) {
	s := new(sealer)
	for _, secret := range keyEncryptionKeys {
		key, err := newSealingKey(secret)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

func newSealingKey(keyEncryptionKey []byte) (sealingKey, error) {
	id, err := hkdf.Key(sha256.New, keyEncryptionKey, nil, "jot: ID of a key-encryption key", kekIDSize)
	if err != nil {
		return sealingKey{}, err
	}
	key, err := hkdf.Key(sha256.New, keyEncryptionKey, nil, "jot: private keys at rest", keySize)
	if err != nil {
		return sealingKey{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealingKey{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealingKey{id, aead}, err
}

func (s *sealer) seal(k Key, secret []byte) []byte {
	first := s.keys[0]
	return first.aead.Seal(append([]byte{sealVersion}, first.id...), nil, secret, sealContext(k))
}

func (s *sealer) open(k Key) ([]byte, error) {
	if len(k.Sealed) <= kekIDSize || k.Sealed[0] != sealVersion {
		return nil, fmt.Errorf("%s key %s is not sealed in a way that this version knows; was it written by a newer one?", k.Purpose, k.ID)
	}
	id, sealed := k.Sealed[1:1+kekIDSize], k.Sealed[1+kekIDSize:]
	n := slices.IndexFunc(s.keys, func(key sealingKey) bool { return bytes.Equal(key.id, id) })
	if n < 0 {
		return nil, fmt.Errorf("the %s key %s is sealed under the key-encryption key with the ID %s, and the configured one has the ID %s: start with the "+
			"key-encryption key that this database was made with, or name it as an older one (where no copy of it is left, recover the database and say so: accounts stay)",
			k.Purpose, k.ID, hex.EncodeToString(id), hex.EncodeToString(s.keys[0].id))
	}
	secret, err := s.keys[n].aead.Open(nil, nil, sealed, sealContext(k))
	if err != nil {
		return nil, fmt.Errorf("the sealed %s key %s was changed in the database; restore it from a backup", k.Purpose, k.ID)
	}
	return secret, nil
}

// current reports whether a key is sealed as seal does now.
func (s *sealer) current(k Key) bool {
	return bytes.HasPrefix(k.Sealed, append([]byte{sealVersion}, s.keys[0].id...))
}

// reseal seals every key that was sealed under an older key-encryption key under the current one.
func (u *update) reseal(keys []Key) error {
	for _, k := range keys {
		if len(k.Sealed) == 0 || u.issuer.sealer.current(k) {
			continue
		}
		secret, err := u.issuer.sealer.open(k)
		if err != nil {
			return fmt.Errorf("keys: %w", err)
		}
		k.Sealed = u.issuer.sealer.seal(k, secret)
		if err := u.UpdateKey(k); err != nil {
			return err
		}
	}
	return nil
}

func sealContext(k Key) []byte {
	return append(appendText(appendText(nil, string(k.Purpose)), k.ID), k.Version)
}

// appendText appends a text with its length in front, so that no two lists of texts have the same bytes.
func appendText(b []byte, text string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}
