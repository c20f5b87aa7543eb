//go:build !go1.27

package jwk

import (
	"crypto"
	"fmt"
)

const offersMLDSA = false

func newMLDSAPublic(string, []byte) (crypto.PublicKey, error) { return nil, errNeedsGo127 }

func newMLDSAPrivate(string, []byte) (crypto.PrivateKey, error) { return nil, errNeedsGo127 }

func checkMLDSAPublic(key crypto.PublicKey) error {
	return fmt.Errorf("a public key of type %T is not offered", key)
}

func checkMLDSAPrivate(key crypto.PrivateKey) error {
	return fmt.Errorf("a private key of type %T is not offered", key)
}

// mldsaEncoding is never asked: no key passes checkMLDSAPublic.
func mldsaEncoding(crypto.PublicKey) (algorithm string, encoded []byte) { return "", nil }

// mldsaSeed is never asked: no key passes checkMLDSAPrivate.
func mldsaSeed(crypto.PrivateKey) []byte { return nil }

// MLDSAAlgorithm returns nothing: no key is an ML-DSA key before Go 1.27.
func MLDSAAlgorithm(crypto.PublicKey) string { return "" }
