package jwk

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math"
	"math/big"
)

const (
	minRSABits = 2048 // RFC 7518 §3.3 and §4.2
	maxRSABits = 16384
)

var (
	errContradiction = errors.New("the parts of this RSA key contradict each other")
	errNotPrime      = errors.New("a prime of this RSA key is none")
)

func checkRSA(k *rsa.PublicKey) (crypto.PublicKey, error) {
	if k.N == nil || k.N.Sign() < 0 || k.N.BitLen() < minRSABits || k.N.BitLen() > maxRSABits {
		return nil, fmt.Errorf("an RSA modulus has %d to %d bits", minRSABits, maxRSABits)
	}
	if k.N.Bit(0) == 0 || k.E < 3 || k.E&1 == 0 || k.E > math.MaxInt32 {
		return nil, errors.New("an RSA key has an odd modulus and an odd exponent from 3 to 2³¹−1")
	}
	return &rsa.PublicKey{N: new(big.Int).Set(k.N), E: k.E}, nil
}

// checkRSAPrivate comes to the dear checks last. Precompute and Validate take seconds for a large key, so they see no
// key that anyone could make up without the work of finding two primes.
func checkRSAPrivate(k *rsa.PrivateKey) (crypto.PrivateKey, error) {
	if _, err := checkRSA(&k.PublicKey); err != nil {
		return nil, err
	}
	if len(k.Primes) != 2 || !positive(k.D) || !positive(k.Primes[0]) || !positive(k.Primes[1]) {
		return nil, errors.New("an RSA private key has d and two primes")
	}
	if !belongTogether(k) {
		return nil, errContradiction
	}
	for _, prime := range k.Primes {
		if !prime.ProbablyPrime(0) { // Baillie-PSW: no composite is known that passes
			return nil, errNotPrime
		}
	}
	copied := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Set(k.N), E: k.E}, D: new(big.Int).Set(k.D),
		Primes: []*big.Int{new(big.Int).Set(k.Primes[0]), new(big.Int).Set(k.Primes[1])},
	}
	copied.Precompute()
	if err := copied.Validate(); err != nil {
		return nil, errContradiction
	}
	return copied, nil
}

// belongTogether reports whether p·q = n, and e·d ≡ 1 modulo p−1 and q−1 (RFC 8017 §3.2).
func belongTogether(k *rsa.PrivateKey) bool {
	p, q, one := k.Primes[0], k.Primes[1], big.NewInt(1)
	if p.Cmp(one) == 0 || q.Cmp(one) == 0 || new(big.Int).Mul(p, q).Cmp(k.N) != 0 {
		return false
	}
	product := big.NewInt(int64(k.E))
	product.Sub(product.Mul(product, k.D), one)
	divides := func(prime *big.Int) bool {
		return new(big.Int).Mod(product, new(big.Int).Sub(prime, one)).Sign() == 0
	}
	return divides(p) && divides(q)
}

func positive(n *big.Int) bool { return n != nil && n.Sign() > 0 }

// checkShortcuts refuses precomputed numbers that another reader would use with another result. Those that are nil are
// absent.
func checkShortcuts(key *rsa.PrivateKey, dp, dq, qi *big.Int) error {
	for _, number := range []struct {
		name      string
		got, want *big.Int
	}{{"dp", dp, key.Precomputed.Dp}, {"dq", dq, key.Precomputed.Dq}, {"qi", qi, key.Precomputed.Qinv}} {
		if number.got != nil && number.got.Cmp(number.want) != 0 {
			return fmt.Errorf("number %q of this RSA key contradicts its primes", number.name)
		}
	}
	return nil
}

// parsePKCS1 reads an RSA private key of two primes (RFC 8017 §A.1.2), and checks it. The function of crypto/x509 would
// validate the key before anyone could look at what that is going to cost.
func parsePKCS1(der []byte) (crypto.PrivateKey, error) {
	var read struct {
		Version             int
		N                   *big.Int
		E                   int
		D, P, Q, DP, DQ, QI *big.Int
	}
	if rest, err := asn1.Unmarshal(der, &read); err != nil || len(rest) > 0 || read.Version != 0 {
		return nil, errUnreadable
	}
	checked, err := checkRSAPrivate(&rsa.PrivateKey{PublicKey: rsa.PublicKey{N: read.N, E: read.E}, D: read.D, Primes: []*big.Int{read.P, read.Q}})
	if err != nil {
		return nil, err
	}
	if err := checkShortcuts(checked.(*rsa.PrivateKey), read.DP, read.DQ, read.QI); err != nil {
		return nil, err
	}
	return checked, nil
}

// oidRSA is rsaEncryption (RFC 8017 §A.1).
var oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}

// insidePKCS8 returns the PKCS #1 key in a PKCS #8 one (RFC 5958 §2); ok is false for other kinds of keys.
func insidePKCS8(der []byte) (pkcs1 []byte, ok bool) {
	var read struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	rest, err := asn1.Unmarshal(der, &read)
	return read.Key, err == nil && len(rest) == 0 && read.Algorithm.Algorithm.Equal(oidRSA)
}
