//go:build !go1.27

package jot

import (
	"crypto"
	"errors"
)

// crypto/mldsa is new in Go 1.27. Before, findScheme refuses to make a key for ML-DSA, so nothing else of it is ever
// asked.
const offersMLDSA = false

func generateMLDSA(Algorithm) (crypto.Signer, error) { return nil, errors.ErrUnsupported }

func isMLDSA(crypto.Signer) bool { return false }

func verifyMLDSA(crypto.PublicKey, []byte, []byte) bool { return false }
