package jwk_test

import "testing"

// X25519 is the one type of key here that isn't approved. The test is run with GODEBUG=fips140=only as well.
func TestFIPSKeys(t *testing.T) {
	for _, name := range []string{"P-256", "P-384", "P-521", "RSA", "Ed25519"} {
		key := privateKeys[name]
		rewrite(t, key, true)
		rewrite(t, key.(private).Public(), false)
	}
}
