package jot

import (
	"bytes"
	"context"
	"crypto"
	"errors"
)

// SignerFunc asks whoever holds a private key, such as a key management service, for the signature over a JWS signing
// input (RFC 7515 §5.1). A service that wants a digest gets one made with Algorithm.Hash. The answer is the signature
// as JWS has it; for ECDSA it may be ASN.1 DER instead of r‖s. It's called from many goroutines at once, gets the
// context of the call that signs, and must not alter the input.
type SignerFunc func(ctx context.Context, input []byte) ([]byte, error)

// NewRemoteKey makes a private key whose private half is elsewhere. The public half is bound to the algorithm like in
// NewPublicKey. Every answer of the function is verified with the public half before it leaves: a service that holds
// another key, or signs another way, is an error when signing, not a token that nobody accepts.
func NewRemoteKey(alg Algorithm, public crypto.PublicKey, sign SignerFunc, o KeyOptions) (*PrivateKey, error) {
	if sign == nil {
		return nil, errors.New("jot: a remote key needs a function that signs")
	}
	return newPrivateKey(alg, public, PrivateKey{remote: sign}, o)
}

// signerFunc lets a crypto.Signer that is none of the standard library's keys sign like a remote key, for that's what
// it may be.
func (s *scheme) signerFunc(signer crypto.Signer) SignerFunc {
	return func(_ context.Context, input []byte) ([]byte, error) { return s.sign(signer, input) }
}

var errForeignSignature = errors.New("the signer's answer is not a signature that this key's public half verifies")

// signRemotely gives the input away as a copy: it stands in a buffer that more is written to.
func (k *PrivateKey) signRemotely(ctx context.Context, input []byte) ([]byte, error) {
	answer, err := k.remote(ctx, bytes.Clone(input))
	if err != nil {
		return nil, err
	}
	if k.public.VerifyInput(input, answer) {
		return bytes.Clone(answer), nil
	}
	if k.public.scheme.family != familyECDSA {
		return nil, errForeignSignature
	}
	raw, ok := rawFromDER(answer, k.public.scheme.size)
	if !ok || !k.public.VerifyInput(input, raw) {
		return nil, errForeignSignature
	}
	return raw, nil
}
