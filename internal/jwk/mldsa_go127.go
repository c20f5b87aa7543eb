//go:build go1.27

package jwk

import (
	"crypto"
	"crypto/mldsa"
	"fmt"
	"reflect"
)

const offersMLDSA = true

// parametersOf returns the parameter set that "alg" names (RFC 9964 §2).
func parametersOf(algorithm string) (mldsa.Parameters, error) {
	for _, parameters := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		if parameters.String() == algorithm {
			return parameters, nil
		}
	}
	return mldsa.Parameters{}, fmt.Errorf(`a JWK of type "AKP" for algorithm %.32q is not offered`, algorithm)
}

func newMLDSAPublic(algorithm string, encoded []byte) (crypto.PublicKey, error) {
	parameters, err := parametersOf(algorithm)
	if err != nil {
		return nil, err
	}
	key, err := mldsa.NewPublicKey(parameters, encoded)
	if err != nil {
		return nil, fmt.Errorf("an %s public key has %d bytes, this one has %d", algorithm, parameters.PublicKeySize(), len(encoded))
	}
	return key, nil
}

func newMLDSAPrivate(algorithm string, seed []byte) (crypto.PrivateKey, error) {
	parameters, err := parametersOf(algorithm)
	if err != nil {
		return nil, err
	}
	return mldsa.NewPrivateKey(parameters, seed)
}

func checkMLDSAPublic(key crypto.PublicKey) error {
	k, ok := key.(*mldsa.PublicKey)
	if !ok {
		return fmt.Errorf("a public key of type %T is not offered", key)
	}
	return checkMade(k)
}

func checkMLDSAPrivate(key crypto.PrivateKey) error {
	k, ok := key.(*mldsa.PrivateKey)
	if !ok {
		return fmt.Errorf("a private key of type %T is not offered", key)
	}
	return checkMade(k)
}

// checkMade refuses a nil pointer, and one to a zero value, whose methods would panic.
func checkMade[Key any](k *Key) error {
	if k == nil || reflect.ValueOf(k).Elem().IsZero() {
		return errNil
	}
	return nil
}

// mldsaEncoding returns the algorithm and the bytes of a key that has passed checkMLDSAPublic.
func mldsaEncoding(key crypto.PublicKey) (algorithm string, encoded []byte) {
	k := key.(*mldsa.PublicKey)
	return k.Parameters().String(), k.Bytes()
}

// mldsaSeed returns the seed of a key that has passed checkMLDSAPrivate.
func mldsaSeed(key crypto.PrivateKey) []byte { return key.(*mldsa.PrivateKey).Bytes() }

// MLDSAAlgorithm returns the one algorithm of an ML-DSA public key that has passed CheckPublic, and nothing for any
// other key.
func MLDSAAlgorithm(key crypto.PublicKey) string {
	if k, ok := key.(*mldsa.PublicKey); ok {
		return k.Parameters().String()
	}
	return ""
}
