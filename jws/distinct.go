package jws

import (
	"crypto"

	"github.com/jot-auth/jot"
)

// sameKey reports whether two keys, of any half, are one signer's: their public halves are alike, whatever they are
// called and whatever algorithm they are for. Secret keys are alike only where they are one object: of their material,
// nothing is to be had but signatures.
func sameKey(a, b any) bool {
	publicA, publicB := publicHalf(a), publicHalf(b)
	if publicA == nil || publicB == nil {
		secretA, okA := a.(*jot.SecretKey)
		secretB, okB := b.(*jot.SecretKey)
		return okA && okB && secretA == secretB
	}
	digestA, _ := publicA.Thumbprint(crypto.SHA256) // a key that is in use always has one
	digestB, _ := publicB.Thumbprint(crypto.SHA256)
	return string(digestA) == string(digestB)
}

// publicHalf returns nil for a secret key.
func publicHalf(key any) *jot.PublicKey {
	switch k := key.(type) {
	case *jot.PublicKey:
		return k
	case *jot.PrivateKey:
		return k.Public()
	}
	return nil
}
