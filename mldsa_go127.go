//go:build go1.27

package jot

import (
	"crypto"
	"crypto/mldsa"
)

const offersMLDSA = true

func generateMLDSA(alg Algorithm) (crypto.Signer, error) {
	switch alg {
	case MLDSA44:
		return mldsa.GenerateKey(mldsa.MLDSA44())
	case MLDSA65:
		return mldsa.GenerateKey(mldsa.MLDSA65())
	default:
		return mldsa.GenerateKey(mldsa.MLDSA87())
	}
}

func isMLDSA(signer crypto.Signer) bool {
	_, ok := signer.(*mldsa.PrivateKey)
	return ok
}

// verifyMLDSA verifies with the empty context, the only one in JOSE (RFC 9964 §2).
func verifyMLDSA(key crypto.PublicKey, input, signature []byte) bool {
	return mldsa.Verify(key.(*mldsa.PublicKey), input, signature, nil) == nil
}
