package jwe

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strings"
	"testing"

	"github.com/jot-auth/jot/internal/jose"
)

// macKeys are the keys with which the content of messages was authenticated, where that is done with observed.
var macKeys [][]byte

// observed is A128CBC-HS256 with a SHA-256 that notes the keys of its HMACs. It goes by the number of a hash that this
// package has no use for.
var observed = func() *content {
	crypto.RegisterHash(crypto.MD4, func() hash.Hash { return &observedHash{Hash: sha256.New()} })
	c := *contentOf(A128CBC_HS256)
	c.hash = crypto.MD4
	return &c
}()

type observedHash struct {
	hash.Hash
	begun bool
}

// Write looks for what an HMAC begins with: a block of the key, filled up with zeros, and the pad (RFC 2104 §2).
func (h *observedHash) Write(data []byte) (int, error) {
	if !h.begun && len(data) == sha256.BlockSize {
		block := bytes.Clone(data)
		for i := range block {
			block[i] ^= 0x36
		}
		if size := observed.keySize / 2; !bytes.ContainsFunc(block[size:], func(r rune) bool { return r != 0 }) {
			macKeys = append(macKeys, block[:size])
		}
	}
	h.begun = true
	return h.Hash.Write(data)
}

func (h *observedHash) Reset() {
	h.begun = false
	h.Hash.Reset()
}

// recipient is a key of each kind, and another one of the same kind.
type recipient struct {
	encrypt        EncryptionKey
	decrypt, other DecryptionKey
}

func recipients(t *testing.T) map[Algorithm]recipient {
	t.Helper()
	all := map[Algorithm]recipient{}
	private := func(alg Algorithm, generate func() (crypto.PrivateKey, error)) {
		var keys [2]*PrivateKey
		for i := range keys {
			made, err := generate()
			if err != nil {
				t.Fatal(err)
			}
			if keys[i], err = NewPrivateKey(alg, made, KeyOptions{KeyID: "key"}); err != nil {
				t.Fatal(err)
			}
		}
		all[alg] = recipient{keys[0].Public(), keys[0], keys[1]}
	}
	for _, alg := range []Algorithm{RSA_OAEP, RSA_OAEP_256} {
		private(alg, func() (crypto.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	}
	for _, alg := range []Algorithm{ECDH_ES, ECDH_ES_A256KW} {
		private(alg, func() (crypto.PrivateKey, error) { return ecdh.X25519().GenerateKey(rand.Reader) })
	}
	for _, alg := range []Algorithm{A128KW, A256GCMKW} {
		size := schemeOf(alg).wrapSize
		one, err1 := NewSecretKey(alg, randomBytes(size), KeyOptions{})
		two, err2 := NewSecretKey(alg, randomBytes(size), KeyOptions{})
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		all[alg] = recipient{one, one, two}
	}
	direct := func() *SecretKey {
		secret := randomBytes(observed.keySize)
		return &SecretKey{scheme: schemeOf(Dir), content: observed, secret: func() []byte { return secret }}
	}
	one, two := direct(), direct()
	all[Dir] = recipient{one, one, two}
	guessed, err1 := NewPassword(PBES2_HS256_A128KW, []byte("correct horse"), PasswordOptions{Iterations: minIterations})
	wrong, err2 := NewPassword(PBES2_HS256_A128KW, []byte("battery staple"), PasswordOptions{Iterations: minIterations})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	all[PBES2_HS256_A128KW] = recipient{guessed, guessed, wrong}
	return all
}

// sealFor encrypts in compact form, with a content's key that may be longer or shorter than it should be: as much of it
// as there is encrypts.
func sealFor(t *testing.T, key EncryptionKey, proposed []byte, plaintext string, more map[string]any) (parts []string, macKey []byte) {
	t.Helper()
	w := &wrapping{algorithm: key.Algorithm(), keyID: key.KeyID()}
	contentKey, err := key.wrap(w, observed, proposed)
	if err != nil {
		t.Fatal(err)
	}
	contentKey = append(bytes.Clone(contentKey), make([]byte, observed.keySize)...)[:observed.keySize]
	members := w.members()
	members["enc"] = observed.name
	for name, value := range more {
		members[name] = value
	}
	header, err := jose.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	protected := base64URL(header)
	s, err := observed.seal(contentKey, []byte(plaintext), []byte(protected))
	if err != nil {
		t.Fatal(err)
	}
	return []string{protected, base64URL(w.encryptedKey), base64URL(s.iv), base64URL(s.ciphertext), base64URL(s.tag)}, contentKey[:observed.keySize/2]
}

// Whatever is wrong with a message whose form is right, the error is one and the same, and the content is tried once,
// with a random key in the place of one that can't be found (RFC 7516 §11.5).
func TestFailuresAreAlike(t *testing.T) {
	for alg, who := range recipients(t) {
		t.Run(string(alg), func(t *testing.T) {
			direct := schemeOf(alg).direct()
			key := observed.newKey()
			good, genuine := sealFor(t, who.encrypt, key, "content", nil)
			if opened, keys, err := openObserved(t, who.decrypt, good); err != nil || string(opened.plaintext) != "content" || len(keys) != 1 || !bytes.Equal(keys[0], genuine) {
				t.Fatalf("the message itself: %+v, %d keys, %v", opened, len(keys), err)
			}
			found := func(name string, parts []string, macKey []byte) {
				t.Helper()
				if keys := fails(t, name, who.decrypt, parts); !bytes.Equal(keys, macKey) {
					t.Errorf("%s: the content was tried with another key than its own", name)
				}
			}
			lost := func(name string, decrypt DecryptionKey, parts []string) {
				t.Helper()
				first, second := fails(t, name, decrypt, parts), fails(t, name, decrypt, parts)
				if bytes.Equal(first, second) || bytes.Equal(first, genuine) || bytes.Equal(first, key[:len(first)]) || bytes.Equal(first, make([]byte, len(first))) {
					t.Errorf("%s: the key in the place of the content's is not random", name)
				}
			}
			for part, name := range map[int]string{2: "the IV", 3: "the ciphertext", 4: "the tag"} {
				found(name+" altered", flipped(t, good, part), genuine)
			}
			found("the header altered", headed(t, good, `{`, `{"x":1,`), genuine)
			found("a tag cut", altered(t, good, 4, func(data []byte) []byte { return data[:15] }), genuine)
			deflated, macKey := sealFor(t, who.encrypt, key, "not DEFLATE", map[string]any{"zip": "DEF"})
			found("not DEFLATE", deflated, macKey)

			if alg != ECDH_ES && alg != Dir {
				lost("the encrypted key altered", who.decrypt, flipped(t, good, 1))
				lost("the encrypted key cut", who.decrypt, altered(t, good, 1, func(data []byte) []byte { return data[1:] }))
				for _, size := range []int{observed.keySize / 2, observed.keySize - 8, observed.keySize + 8, 2 * observed.keySize} {
					parts, _ := sealFor(t, who.encrypt, append(bytes.Clone(key), key...)[:size], "content", nil)
					lost("a content's key of another size", who.decrypt, parts)
				}
				lost("no encrypted key", who.decrypt, replaced(good, 1, ""))
			}
			if direct {
				lost("a surplus key", who.decrypt, replaced(good, 1, "AAAA"))
			} else {
				lost("another's key", who.other, good)
			}
			switch alg {
			case ECDH_ES, ECDH_ES_A256KW:
				lost("no ephemeral key", who.decrypt, headed(t, good, `"epk":`, `"x":`))
				lost("an ephemeral key of another curve", who.decrypt, headed(t, good, `X25519`, `X448`))
			case PBES2_HS256_A128KW:
				lost("too few iterations", who.decrypt, headed(t, good, `"p2c":1000`, `"p2c":999`))
				lost("too many iterations", who.decrypt, headed(t, good, `"p2c":1000`, `"p2c":1200001`))
				lost("another salt", who.decrypt, headed(t, good, `"p2s":"`, `"p2s":"AAAA`))
			case A256GCMKW:
				lost("another IV of the key", who.decrypt, headed(t, good, `"iv":"`, `"iv":"AAAA`))
			}
		})
	}
}

// fails decrypts, demands the one error, and returns the one key with which the content was tried.
func fails(t *testing.T, name string, key DecryptionKey, parts []string) []byte {
	t.Helper()
	opened, keys, err := openObserved(t, key, parts)
	if opened != nil || err != ErrDecryption || err.Error() != "jwe: this message can't be decrypted" {
		t.Errorf("%s: %v, %v", name, opened, err)
	}
	if len(keys) != 1 {
		t.Fatalf("%s: the content was tried with %d keys", name, len(keys))
	}
	return keys[0]
}

// openObserved does what Decrypt does, with the content encryption that is observed.
func openObserved(t *testing.T, key DecryptionKey, parts []string) (*opened, [][]byte, error) {
	t.Helper()
	d := &Decrypter{keys: []DecryptionKey{key}, options: DecrypterOptions{Decompress: true, MaxSize: defaultMaxSize}}
	f, err := parseForm([]byte(strings.Join(parts, ".")))
	if err != nil {
		t.Fatal(err)
	}
	macKeys = nil
	o, err := d.openContent(t.Context(), f, observed)
	return o, macKeys, err
}

func replaced(parts []string, part int, text string) []string {
	parts = append([]string(nil), parts...)
	parts[part] = text
	return parts
}

func altered(t *testing.T, parts []string, part int, alter func(data []byte) []byte) []string {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil {
		t.Fatal(err)
	}
	return replaced(parts, part, base64URL(alter(data)))
}

// flipped alters the last bit of a part.
func flipped(t *testing.T, parts []string, part int) []string {
	t.Helper()
	return altered(t, parts, part, func(data []byte) []byte {
		data[len(data)-1] ^= 1
		return data
	})
}

// headed alters the header.
func headed(t *testing.T, parts []string, old, new string) []string {
	t.Helper()
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || !bytes.Contains(header, []byte(old)) {
		t.Fatalf("%s has no %s, %v", header, old, err)
	}
	return replaced(parts, 0, base64URL(bytes.Replace(header, []byte(old), []byte(new), 1)))
}
