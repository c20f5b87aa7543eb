package jwk

import (
	"crypto/ed25519"
	"encoding/hex"
)

// smallOrder holds the encodings of the points of Ed25519 whose order is 1, 2, 4 or 8, without the sign of x, which is
// the last byte's highest bit. RFC 8032 §5.1.3 admits the canonical ones; crypto/ed25519 reads the others too.
var smallOrder = [...]string{
	"0100000000000000000000000000000000000000000000000000000000000000", // y = 1: order 1
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = −1: order 2
	"0000000000000000000000000000000000000000000000000000000000000000", // y = 0: order 4
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p, which is 0
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 1, which is 1
}

// hasSmallOrder reports whether a key is one of these points. Under such a key, anyone can sign: S = 0 and a small R
// satisfy the equation of RFC 8032 §5.1.7 for one message in 8 at least.
func hasSmallOrder(k ed25519.PublicKey) bool {
	y := [ed25519.PublicKeySize]byte(k)
	y[len(y)-1] &= 0x7f
	encoded := hex.EncodeToString(y[:])
	for _, point := range smallOrder {
		if encoded == point {
			return true
		}
	}
	return false
}
