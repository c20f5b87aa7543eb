package jwe

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"errors"
)

// DecrypterFunc asks whoever holds an RSA key, such as a key management service, to decrypt the encrypted key of a
// message, with RSAES OAEP and the hash of the key's algorithm, for the mask too (RFC 7518 §4.3). It's called from many
// goroutines at once, and gets the context of the call that decrypts.
//
// An error for which errors.Is(err, jot.ErrUnavailable) holds says that the holder can't be asked now, and makes the
// decrypter answer ErrUnavailable. It must not depend on the message, or an attacker learns from it. Any other error is
// ErrDecryption like all that's wrong with a message: watch the holder on its own side.
type DecrypterFunc func(ctx context.Context, encryptedKey []byte) ([]byte, error)

// ExchangerFunc asks whoever holds a private key for ECDH for the secret that it shares with an ephemeral key, which is
// on its curve: the x-coordinate, with leading zeros (RFC 7518 §4.6.2), or what X25519 returns (RFC 7748 §6.1). What is
// said of DecrypterFunc holds for it as well.
type ExchangerFunc func(ctx context.Context, ephemeral *ecdh.PublicKey) ([]byte, error)

// NewRemoteRSAKey makes a private key for RSA_OAEP or RSA_OAEP_256 whose private half is elsewhere. The public half is
// bound to the algorithm like in NewPublicKey.
func NewRemoteRSAKey(alg Algorithm, public crypto.PublicKey, decrypt DecrypterFunc, o KeyOptions) (*PrivateKey, error) {
	if decrypt == nil {
		return nil, errors.New("jwe: a remote key needs a function that decrypts")
	}
	if _, err := schemeAmong(alg, "takes no RSA key: see NewRemoteECDHKey", familyRSA); err != nil {
		return nil, err
	}
	return (&PrivateKey{decrypt: decrypt}).bind(alg, public, o)
}

// NewRemoteECDHKey makes a private key for an ECDH_ES algorithm whose private half is elsewhere. The public half is
// bound to the algorithm like in NewPublicKey.
func NewRemoteECDHKey(alg Algorithm, public crypto.PublicKey, exchange ExchangerFunc, o KeyOptions) (*PrivateKey, error) {
	if exchange == nil {
		return nil, errors.New("jwe: a remote key needs a function that agrees on a secret")
	}
	if _, err := schemeAmong(alg, "takes no key for ECDH: see NewRemoteRSAKey", familyECDH); err != nil {
		return nil, err
	}
	made, err := new(PrivateKey).bind(alg, public, o)
	if err != nil {
		return nil, err
	}
	made.exchange = exchange.checked(made.public.material.(*ecdh.PublicKey).Curve())
	return made, nil
}

// decrypterFunc lets a crypto.Decrypter decrypt as the algorithm says.
func (s *scheme) decrypterFunc(decrypter crypto.Decrypter) DecrypterFunc {
	return func(_ context.Context, encryptedKey []byte) ([]byte, error) {
		return decrypter.Decrypt(rand.Reader, encryptedKey, &rsa.OAEPOptions{Hash: s.hash})
	}
}
