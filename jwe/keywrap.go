package jwe

import (
	"crypto/aes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// wrapIV is the initial value of RFC 3394 §2.2.3.1: finding it again proves that the wrapped key is whole.
var wrapIV = []byte{0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6}

const (
	wrapBlock  = 8 // bytes: the half blocks that RFC 3394 works on
	wrapRounds = 6
)

var errNotWrapped = errors.New("jwe: not a key wrapped by this one")

// wrapKey is the AES Key Wrap of a content's key (RFC 3394 §2.2.1).
func wrapKey(wrapping, key []byte) ([]byte, error) {
	cipher, err := aes.NewCipher(wrapping)
	if err != nil {
		return nil, err
	}
	n := len(key) / wrapBlock
	wrapped := make([]byte, wrapBlock+len(key))
	copy(wrapped[wrapBlock:], key)

	var block [2 * wrapBlock]byte // the integrity check, and the half block at work
	copy(block[:wrapBlock], wrapIV)
	for round := range wrapRounds {
		for i := 1; i <= n; i++ {
			place := wrapped[i*wrapBlock : (i+1)*wrapBlock]
			copy(block[wrapBlock:], place)
			cipher.Encrypt(block[:], block[:])
			countStep(block[:wrapBlock], round*n+i)
			copy(place, block[wrapBlock:])
		}
	}
	copy(wrapped, block[:wrapBlock])
	return wrapped, nil
}

// unwrapKey undoes wrapKey (RFC 3394 §2.2.2) for a content's key of the given size.
func unwrapKey(wrapping, wrapped []byte, size int) ([]byte, error) {
	if len(wrapped) != wrapBlock+size {
		return nil, errNotWrapped
	}
	cipher, err := aes.NewCipher(wrapping)
	if err != nil {
		return nil, err
	}
	n := size / wrapBlock
	key := make([]byte, size)
	copy(key, wrapped[wrapBlock:])

	var block [2 * wrapBlock]byte
	copy(block[:wrapBlock], wrapped)
	for round := wrapRounds - 1; round >= 0; round-- {
		for i := n; i >= 1; i-- {
			place := key[(i-1)*wrapBlock : i*wrapBlock]
			countStep(block[:wrapBlock], round*n+i)
			copy(block[wrapBlock:], place)
			cipher.Decrypt(block[:], block[:])
			copy(place, block[wrapBlock:])
		}
	}
	if subtle.ConstantTimeCompare(block[:wrapBlock], wrapIV) != 1 {
		return nil, errNotWrapped
	}
	return key, nil
}

// countStep mixes the number of a step into the integrity check.
func countStep(check []byte, step int) {
	binary.BigEndian.PutUint64(check, binary.BigEndian.Uint64(check)^uint64(step))
}
