package jwk_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/jot-auth/jot/internal/jwk"
)

var one = big.NewInt(1)

// made returns the key that someone makes up of two numbers, prime or not, with the d that fits them.
func made(p, q *big.Int) *rsa.PrivateKey {
	order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	d := new(big.Int).ModInverse(big.NewInt(65537), order)
	return &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, D: d, Primes: []*big.Int{p, q}}
}

// composite returns a number of 1024 bits, large enough that a prime times it has 2048, that is the product of two
// primes, and no trial division finds out.
func composite(t *testing.T) *big.Int {
	t.Helper()
	for {
		p, err1 := rand.Prime(rand.Reader, 512)
		q, err2 := rand.Prime(rand.Reader, 512)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if n := new(big.Int).Mul(p, q); made(n, big.NewInt(3)).D != nil && n.BitLen() == 1024 && n.Bit(1022) == 1 {
			return n
		}
	}
}

// pkcs1 is RFC 8017 §A.1.2, for keys that crypto/x509 wouldn't write.
type pkcs1 struct {
	Version             int
	N                   *big.Int
	E                   int
	D, P, Q, DP, DQ, QI *big.Int
}

func newPKCS1(k *rsa.PrivateKey) pkcs1 {
	p, q := k.Primes[0], k.Primes[1]
	without := func(prime *big.Int) *big.Int {
		return new(big.Int).Mod(k.D, new(big.Int).Sub(prime, one))
	}
	qi := new(big.Int).ModInverse(q, p)
	if qi == nil { // where p is q
		qi = one
	}
	return pkcs1{0, k.N, k.E, k.D, p, q, without(p), without(q), qi}
}

func (k pkcs1) marshal(t *testing.T) []byte {
	t.Helper()
	der, err := asn1.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// The same key in each form in which a private key may come.
func forms(t *testing.T, k *rsa.PrivateKey) map[string]func() error {
	t.Helper()
	plain := newPKCS1(k)
	inner := plain.marshal(t)
	wrapped, err := asn1.Marshal(struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}{0, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, Parameters: asn1.NullRawValue}, inner})
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{"kty": "RSA"}
	for name, number := range map[string]*big.Int{"n": k.N, "e": big.NewInt(int64(k.E)), "d": k.D, "p": plain.P, "q": plain.Q} {
		text[name] = base64.RawURLEncoding.EncodeToString(number.Bytes())
	}
	written, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	pem := func(kind string, der []byte) func() error {
		return func() error { _, _, err := jwk.ParsePEM(block(kind, der)); return err }
	}
	return map[string]func() error{
		"checked": func() error { _, err := jwk.CheckPrivate(k); return err },
		"JWK":     func() error { _, err := parse(t, string(written)).Private(); return err },
		"PKCS #1": pem("RSA PRIVATE KEY", inner),
		"PKCS #8": pem("PRIVATE KEY", wrapped),
	}
}

// Which check refuses a key shows what the key cost: the dear ones have no words of their own for it.
func TestRSAHostile(t *testing.T) {
	good := privateKeys["RSA"].(*rsa.PrivateKey)
	p, q := good.Primes[0], good.Primes[1]
	later := *good
	later.D = new(big.Int).Add(good.D, new(big.Int).Mul(good.N, new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))))
	other := *good
	other.D = new(big.Int).Add(good.D, one)
	lone := *good
	lone.Primes = []*big.Int{one, good.N}
	mirrored := *good
	mirrored.Primes, mirrored.D = []*big.Int{good.N, one}, new(big.Int).ModInverse(big.NewInt(int64(good.E)), new(big.Int).Sub(good.N, one))
	foreign := made(composite(t), q)
	foreign.N = good.N
	mirroredTwice := mirrored
	mirroredTwice.Primes = []*big.Int{one, good.N}
	for name, c := range map[string]struct {
		key  *rsa.PrivateKey
		want string
	}{
		"p is no prime":           {made(composite(t), q), "a prime of this RSA key is none"},
		"q is no prime":           {made(p, composite(t)), "a prime of this RSA key is none"},
		"another d":               {&other, "contradict each other"},
		"a d beyond n":            {&later, "contradict each other"},
		"another n":               {foreign, "contradict each other"}, // before anyone asks whether numbers of any size are prime
		"p is 1":                  {&lone, "contradict each other"},
		"p is 1, with a d":        {&mirroredTwice, "contradict each other"},
		"q is 1":                  {&mirrored, "contradict each other"},
		"p is q":                  {made(p, p), "contradict each other"},
		"more bits than are read": {made(new(big.Int).SetBit(one, 9000, 1), new(big.Int).SetBit(big.NewInt(3), 9000, 1)), "16384 bits"},
	} {
		if c.key.D == nil { // numbers whose order 65537 divides have none; any will do for a size
			c.key.D = one
		}
		if slices.Contains(c.key.Primes, one) { // such a key can't be written in all forms
			if _, err := jwk.CheckPrivate(c.key); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		for form, read := range forms(t, c.key) {
			if err := read(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v", name, form, err)
			}
		}
	}
	for form, read := range forms(t, good) {
		if err := read(); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
}

func TestPKCS1Refusals(t *testing.T) {
	for name, alter := range map[string]func(*pkcs1){
		"a version of more primes": func(k *pkcs1) { k.Version = 1 },
		"another dp":               func(k *pkcs1) { k.DP = new(big.Int).Add(k.DP, one) },
		"another dq":               func(k *pkcs1) { k.DQ = new(big.Int).Add(k.DQ, one) },
		"another qi":               func(k *pkcs1) { k.QI = new(big.Int).Add(k.QI, one) },
		"no dp":                    func(k *pkcs1) { k.DP = new(big.Int) },
		"a negative d":             func(k *pkcs1) { k.D = new(big.Int).Neg(k.D) },
	} {
		key := newPKCS1(privateKeys["RSA"].(*rsa.PrivateKey))
		alter(&key)
		if _, _, err := jwk.ParsePEM(block("RSA PRIVATE KEY", key.marshal(t))); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	whole := newPKCS1(privateKeys["RSA"].(*rsa.PrivateKey))
	short, err := asn1.Marshal(struct {
		Version         int
		N               *big.Int
		E               int
		D, P, Q, DP, DQ *big.Int
	}{0, whole.N, whole.E, whole.D, whole.P, whole.Q, whole.DP, whole.DQ})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := jwk.ParsePEM(block("RSA PRIVATE KEY", short)); err == nil {
		t.Error("a key without qi was accepted")
	}
	der := x509.MarshalPKCS1PrivateKey(privateKeys["RSA"].(*rsa.PrivateKey))
	for cut := range 8 {
		if _, _, err := jwk.ParsePEM(block("RSA PRIVATE KEY", der[:len(der)-1-cut])); err == nil {
			t.Errorf("a key that lacks %d bytes was accepted", cut+1)
		}
	}
}
