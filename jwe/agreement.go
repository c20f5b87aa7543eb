package jwe

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
)

// agree is the sender's side of ECDH-ES (RFC 7518 §4.6): a new key pair, whose public half goes into the message.
func agree(s *scheme, recipient *ecdh.PublicKey, w *wrapping, c *content) ([]byte, error) {
	ephemeral, err := recipient.Curve().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	shared, err := ephemeral.ECDH(recipient)
	if err != nil {
		return nil, err
	}
	w.ephemeral = ephemeral.PublicKey()
	return agreedKey(s, shared, w, c), nil
}

// agreeAgain is the recipient's side. The ephemeral key was on its curve when it was read; here it must be the recipient's curve too, or a
// crafted one would give the private key away (RFC 8725 §3.4).
func agreeAgain(s *scheme, recipient ecdh.KeyExchanger, w *wrapping, c *content) ([]byte, error) {
	if w.ephemeral == nil || w.ephemeral.Curve() != recipient.Curve() {
		return nil, errors.New("jwe: no ephemeral key on the recipient's curve")
	}
	shared, err := recipient.ECDH(w.ephemeral) // refuses X25519's points of small order
	if err != nil {
		return nil, err
	}
	return agreedKey(s, shared, w, c), nil
}

// agreedKey names the algorithm that the key is for: the content's, or the one that wraps the content's key.
func agreedKey(s *scheme, shared []byte, w *wrapping, c *content) []byte {
	if s.direct() {
		return concatKDF(shared, string(c.name), w.partyU, w.partyV, c.keySize)
	}
	return concatKDF(shared, string(s.name), w.partyU, w.partyV, s.wrapSize)
}

// concatKDF derives a key of size bytes from a shared secret (RFC 7518 §4.6.2, NIST SP 800-56A §5.8.1).
func concatKDF(shared []byte, algorithm string, partyU, partyV []byte, size int) []byte {
	var info []byte
	for _, part := range [][]byte{[]byte(algorithm), partyU, partyV} {
		info = binary.BigEndian.AppendUint32(info, uint32(len(part)))
		info = append(info, part...)
	}
	info = binary.BigEndian.AppendUint32(info, uint32(8*size))

	var derived []byte
	for round := uint32(1); len(derived) < size; round++ {
		hashed := sha256.Sum256(slices.Concat(binary.BigEndian.AppendUint32(nil, round), shared, info))
		derived = append(derived, hashed[:]...)
	}
	return derived[:size]
}
