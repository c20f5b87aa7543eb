package jwe

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Encryption is the name of a content encryption algorithm, the "enc" of a header (RFC 7518 §5.1). All of them
// authenticate what they encrypt, and the protected header with it.
type Encryption string

// The content encryption algorithms that this package offers. Where both sides can do it, A256GCM is a good choice.
const (
	A128GCM Encryption = "A128GCM" // AES-GCM (RFC 7518 §5.3)
	A192GCM Encryption = "A192GCM"
	A256GCM Encryption = "A256GCM"

	A128CBC_HS256 Encryption = "A128CBC-HS256" // AES-CBC and HMAC, encrypt then authenticate (RFC 7518 §5.2)
	A192CBC_HS384 Encryption = "A192CBC-HS384"
	A256CBC_HS512 Encryption = "A256CBC-HS512"
)

const (
	gcmNonceSize  = 12
	gcmTagSize    = 16
	maxContentKey = 64 // bytes, of A256CBC-HS512
)

// content is a content encryption: the sizes, in bytes, of its key, and its hash; GCM has none.
type content struct {
	name    Encryption
	keySize int
	hash    crypto.Hash
}

var contents = [...]content{
	{A128GCM, 16, 0}, {A192GCM, 24, 0}, {A256GCM, 32, 0},
	{A128CBC_HS256, 32, crypto.SHA256}, {A192CBC_HS384, 48, crypto.SHA384}, {A256CBC_HS512, 64, crypto.SHA512},
}

// contentOf returns the content encryption of a name, or nil for one that this package doesn't offer.
func contentOf(name Encryption) *content {
	for i := range contents {
		if contents[i].name == name {
			return &contents[i]
		}
	}
	return nil
}

func offeredContent(name Encryption) (*content, error) {
	if c := contentOf(name); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("jwe: content encryption %.32q is not offered: use A256GCM or another of this package's constants", string(name))
}

// sealed is an authenticated ciphertext in the three parts that a message keeps it in.
type sealed struct{ iv, ciphertext, tag []byte }

var errNotAuthentic = errors.New("jwe: not authentic")

// newKey returns a new random key for the content.
func (c *content) newKey() []byte { return randomBytes(c.keySize) }

func randomBytes(size int) []byte {
	data := make([]byte, size)
	rand.Read(data)
	return data
}

// seal encrypts the content under a new IV.
func (c *content) seal(key, plaintext, additional []byte) (sealed, error) {
	if c.hash == 0 {
		return sealGCM(key, plaintext, additional)
	}
	return c.sealCBC(key, randomBytes(aes.BlockSize), plaintext, additional)
}

// open decrypts the content, if all of it is authentic, with a key of the content encryption's size.
func (c *content) open(key []byte, s sealed, additional []byte) ([]byte, error) {
	if c.hash == 0 {
		return openGCM(key, s, additional)
	}
	return c.openCBC(key, s, additional)
}

// sealGCM encrypts under a random nonce. Choosing it is left to the AEAD, as FIPS 140-3 demands.
func sealGCM(key, plaintext, additional []byte) (sealed, error) {
	aead, err := newGCM(key)
	if err != nil {
		return sealed{}, err
	}
	out := aead.Seal(nil, nil, plaintext, additional)
	tag := len(out) - gcmTagSize
	return sealed{out[:gcmNonceSize], out[gcmNonceSize:tag], out[tag:]}, nil
}

// openGCM demands the sizes of RFC 7518 §5.3: a shorter tag would be easier to forge.
func openGCM(key []byte, s sealed, additional []byte) ([]byte, error) {
	if len(s.iv) != gcmNonceSize || len(s.tag) != gcmTagSize {
		return nil, errNotAuthentic
	}
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nil, slices.Concat(s.iv, s.ciphertext, s.tag), additional)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sealCBC encrypts as RFC 7518 §5.2.2.1 says.
func (c *content) sealCBC(key, iv, plaintext, additional []byte) (sealed, error) {
	macKey, encryptionKey := key[:c.keySize/2], key[c.keySize/2:]
	block, err := aes.NewCipher(encryptionKey)
	if err != nil {
		return sealed{}, err
	}
	padding := aes.BlockSize - len(plaintext)%aes.BlockSize
	ciphertext := slices.Concat(plaintext, bytes.Repeat([]byte{byte(padding)}, padding))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(ciphertext, ciphertext)
	return sealed{iv, ciphertext, c.tag(macKey, additional, iv, ciphertext)}, nil
}

// openCBC decrypts as RFC 7518 §5.2.2.2 says: nothing of the ciphertext is used before its MAC held.
func (c *content) openCBC(key []byte, s sealed, additional []byte) ([]byte, error) {
	macKey, encryptionKey := key[:c.keySize/2], key[c.keySize/2:]
	if len(s.iv) != aes.BlockSize || len(s.ciphertext) == 0 || len(s.ciphertext)%aes.BlockSize != 0 {
		return nil, errNotAuthentic
	}
	if subtle.ConstantTimeCompare(c.tag(macKey, additional, s.iv, s.ciphertext), s.tag) != 1 {
		return nil, errNotAuthentic
	}
	block, err := aes.NewCipher(encryptionKey)
	if err != nil {
		return nil, err
	}
	padded := make([]byte, len(s.ciphertext))
	cipher.NewCBCDecrypter(block, s.iv).CryptBlocks(padded, s.ciphertext)
	return withoutPadding(padded)
}

// tag returns the first half of the MAC over the additional data, the IV, the ciphertext and the additional data's
// length in bits.
func (c *content) tag(key, additional, iv, ciphertext []byte) []byte {
	mac := hmac.New(c.hash.New, key)
	mac.Write(additional)
	mac.Write(iv)
	mac.Write(ciphertext)
	mac.Write(binary.BigEndian.AppendUint64(nil, 8*uint64(len(additional))))
	return mac.Sum(nil)[:c.keySize/2]
}

// withoutPadding removes the padding of PKCS #7 (RFC 5652 §6.3). It was authenticated: there is no oracle to keep from
// anybody.
func withoutPadding(padded []byte) ([]byte, error) {
	padding := int(padded[len(padded)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errNotAuthentic
	}
	plaintext := padded[:len(padded)-padding]
	if !bytes.Equal(padded[len(plaintext):], bytes.Repeat([]byte{byte(padding)}, padding)) {
		return nil, errNotAuthentic
	}
	return plaintext, nil
}
