package jwk

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"testing"
)

// An X25519 key with which everybody agrees on the same is refused, however it's written.
func TestSmallOrderX25519(t *testing.T) {
	for _, encoded := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000080",
	} {
		data, err := hex.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ecdh.X25519().NewPublicKey(data)
		if err != nil {
			t.Fatal(err)
		}
		if checked, err := CheckPublic(key); err == nil {
			t.Errorf("%x was accepted", checked.(*ecdh.PublicKey).Bytes())
		}
		if parsed, err := Parse([]byte(`{"kty":"OKP","crv":"X25519","x":"` + base64URL(data) + `"}`)); err != nil {
			t.Error(err)
		} else if _, err := parsed.Public(); err == nil {
			t.Errorf("%x was accepted as a JWK", data)
		}
	}
}

// What is assigned to a key afterwards doesn't alter the one that was checked.
func TestX25519IsCopied(t *testing.T) {
	mine, _ := ecdh.X25519().GenerateKey(rand.Reader)
	others, _ := ecdh.X25519().GenerateKey(rand.Reader)
	half := *mine.PublicKey()
	public, err := CheckPublic(&half)
	if err != nil {
		t.Fatal(err)
	}
	secret := mine.Bytes()
	private, err := CheckPrivate(mine)
	if err != nil {
		t.Fatal(err)
	}
	half, *mine = *others.PublicKey(), *others
	if !bytes.Equal(private.(*ecdh.PrivateKey).Bytes(), secret) || !private.(*ecdh.PrivateKey).PublicKey().Equal(public) {
		t.Error("a checked key was altered")
	}
}

// A list of operations that is empty is told from none, and the use is looked at without any.
func TestOperationsOfAKey(t *testing.T) {
	for text, want := range map[string]bool{`{"kty":"OKP"}`: false, `{"kty":"OKP","key_ops":[]}`: true, `{"kty":"OKP","key_ops":["deriveKey"]}`: false} {
		key, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if key.ListsNoOperations() != want || key.Permits("enc") != nil || key.HasCertificate() {
			t.Errorf("%s: %v, %v", text, key.ListsNoOperations(), key.Permits("enc"))
		}
	}
	signing, err := Parse([]byte(`{"kty":"OKP","use":"sig","key_ops":[],"x5c":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	if signing.Permits("enc") == nil || signing.Permits("sig", "verify") == nil || !signing.HasCertificate() {
		t.Error("use and key_ops are not enforced")
	}
}
