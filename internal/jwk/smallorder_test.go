package jwk_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/jot-auth/jot/internal/jwk"
)

// The 8 points of small order and all their encodings, each with the order of its point: twice as many as there are
// numbers y, for either sign of x, which where x is 0 says nothing.
var smallOrder = []struct {
	encoding string
	order    int
}{
	{"0100000000000000000000000000000000000000000000000000000000000000", 1},
	{"0100000000000000000000000000000000000000000000000000000000000080", 1}, // not canonical: x is 0
	{"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 1}, // not canonical: p + 1
	{"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 1}, // not canonical: both
	{"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 2},
	{"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 2}, // not canonical: x is 0
	{"0000000000000000000000000000000000000000000000000000000000000000", 4},
	{"0000000000000000000000000000000000000000000000000000000000000080", 4},
	{"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 4}, // not canonical: p
	{"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 4}, // not canonical: p
	{"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", 8},
	{"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", 8},
	{"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", 8},
	{"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", 8},
}

func TestSmallOrderIsRefused(t *testing.T) {
	for _, point := range smallOrder {
		key, _ := hex.DecodeString(point.encoding)
		if _, err := jwk.CheckPublic(ed25519.PublicKey(key)); err == nil {
			t.Errorf("%s: accepted", point.encoding)
		}
		text := `{"kty":"OKP","crv":"Ed25519","x":"` + base64.RawURLEncoding.EncodeToString(key) + `"}`
		if _, err := parse(t, text).Public(); err == nil {
			t.Errorf("%s: accepted as a JWK", point.encoding)
		}
	}
}

// crypto/ed25519 reads every one of them, and accepts a signature that nobody made: R the neutral point, S = 0.
func TestSmallOrderIsForgeable(t *testing.T) {
	for _, point := range smallOrder {
		key, _ := hex.DecodeString(point.encoding)
		signature := make([]byte, ed25519.SignatureSize)
		signature[0] = 1
		accepted := 0
		for message := range 256 {
			if ed25519.Verify(key, []byte{byte(message)}, signature) {
				accepted++
			}
		}
		if accepted == 0 || point.order == 1 && accepted != 256 {
			t.Errorf("%s, of order %d: %d of 256 messages", point.encoding, point.order, accepted)
		}
	}
}

// The table is complete. On the curve −x² + y² = 1 + d·x²·y² (RFC 8032 §5.1) the neutral point has y = 1, the point of
// order 2 y = −1, those of order 4 y = 0. A point of order 8 is one whose double has y = 0, so x² = −y², and d·y⁴ +
// 2·y² − 1 = 0. An encoding has y, or y + p where that fits into 255 bits.
func TestSmallOrderIsComplete(t *testing.T) {
	p, _ := new(big.Int).SetString("57896044618658097711785492504343953926634992332820282019728792003956564819949", 10)
	d, _ := new(big.Int).SetString("37095705934669439343138083508754565189542113879843219016388785533085940283555", 10)
	mod := func(x *big.Int) *big.Int { return x.Mod(x, p) }
	ys := []*big.Int{big.NewInt(0), big.NewInt(1), new(big.Int).Sub(p, big.NewInt(1))}
	root := new(big.Int).ModSqrt(mod(new(big.Int).Add(d, big.NewInt(1))), p)
	for _, numerator := range []*big.Int{new(big.Int).Sub(root, big.NewInt(1)), new(big.Int).Sub(new(big.Int).Neg(root), big.NewInt(1))} {
		square := mod(numerator.Mul(numerator, new(big.Int).ModInverse(d, p))) // (−1 ± √(1 + d)) / d
		if y := new(big.Int).ModSqrt(square, p); y != nil {
			ys = append(ys, y, new(big.Int).Sub(p, y))
		}
	}
	var want []string
	for _, y := range ys {
		for ; y.BitLen() <= 255; y = new(big.Int).Add(y, p) {
			for _, sign := range []byte{0, 0x80} {
				encoding := y.FillBytes(make([]byte, 32))
				slices.Reverse(encoding)
				encoding[31] |= sign
				want = append(want, hex.EncodeToString(encoding))
			}
		}
	}
	var got []string
	for _, point := range smallOrder {
		got = append(got, point.encoding)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the table has\n%q, computed are\n%q", got, want)
	}
}
