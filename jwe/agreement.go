package jwe

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/jot-auth/jot/internal/jwk"
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
	if w.ephemeral, err = jwk.MarshalPublic(portable(ephemeral.PublicKey()), jwk.Description{}); err != nil {
		return nil, err
	}
	return agreedKey(s, shared, w, c), nil
}

// agreeAgain is the recipient's side. The ephemeral key has to be on the recipient's curve, or a crafted one would give
// the private key away (RFC 8725 §3.4).
func agreeAgain(ctx context.Context, s *scheme, curve ecdh.Curve, exchange ExchangerFunc, w *wrapping, c *content) ([]byte, error) {
	ephemeral, err := readEphemeral(w.ephemeral)
	if err != nil {
		return nil, err
	}
	if ephemeral.Curve() != curve {
		return nil, errors.New("jwe: the ephemeral key is not on the recipient's curve")
	}
	shared, err := exchange(ctx, ephemeral) // crypto/ecdh refuses X25519's points of small order
	if err != nil {
		return nil, err
	}
	return agreedKey(s, shared, w, c), nil
}

// checked doesn't trust whoever holds a key with the answer: zeros are a secret that everybody knows (RFC 7748 §6.1).
// Nobody comes upon the point of a NIST curve that they stand for there.
func (ask ExchangerFunc) checked(curve ecdh.Curve) ExchangerFunc {
	return func(ctx context.Context, ephemeral *ecdh.PublicKey) ([]byte, error) {
		shared, err := ask(ctx, ephemeral)
		if err != nil {
			return nil, err
		}
		if size := sharedSize(curve); len(shared) != size || subtle.ConstantTimeCompare(shared, make([]byte, size)) == 1 {
			return nil, errors.New("jwe: this is no shared secret")
		}
		return shared, nil
	}
}

// sharedSize is the size in bytes of a shared secret: that of a coordinate (RFC 7518 §4.6.2, RFC 7748 §5).
func sharedSize(curve ecdh.Curve) int {
	if curve == ecdh.X25519() {
		return 32
	}
	return (nistCurve(curve).Params().BitSize + 7) / 8
}

// readEphemeral reads a public JWK that has to be on its curve (RFC 7518 §4.6.1.1). It's a stranger's: no other kind of
// key, and no certificate, is looked into.
func readEphemeral(text []byte) (*ecdh.PublicKey, error) {
	key, err := jwk.Parse(text)
	if err != nil {
		return nil, err
	}
	if kty := key.Type(); kty != "EC" && kty != "OKP" || key.HoldsSecret() || key.HasCertificate() {
		return nil, errors.New("jwe: not an ephemeral public key")
	}
	public, err := key.Public()
	if err != nil {
		return nil, err
	}
	return exchangeable(public)
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
