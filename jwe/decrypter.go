package jwe

import (
	"errors"
	"fmt"
	"slices"
)

const (
	defaultMaxSize = 1 << 20
	largestMaxSize = 64 << 20

	maxKeys     = 32
	maxAttempts = 8 // pairs of a recipient and a key that are tried for one message
)

// DecrypterOptions are what a decrypter accepts. The zero value accepts the least; each weakening has a name of its own.
type DecrypterOptions struct {
	// Encryptions are the accepted content encryptions; empty accepts all that this package offers. If it names exactly one, "enc" may
	// stand outside of the protected header, as in RFC 7520 §5.12: then there's nothing to gain from altering it. Otherwise it has to be protected.
	Encryptions []Encryption
	// Decompress accepts content that is written as DEFLATE, "zip" (RFC 7516 §4.1.3), of at most 250 KiB when inflated.
	Decompress bool
	// MaxSize bounds the whole message in bytes; 0 means 1 MiB, and 64 MiB is the most. It's checked before anything is read.
	MaxSize int
}

// Decrypter decrypts messages that were encrypted for one of its keys. It's immutable and safe for concurrent use.
type Decrypter struct {
	keys    []DecryptionKey
	options DecrypterOptions
}

// NewDecrypter makes a decrypter with 1 to 32 keys: several, so that they can be rotated. For a recipient that a message names a key ID for, it tries the keys
// of that ID and those that have none; for one without, all keys of the algorithm; and 8 times at most. So a key needs the ID under which it was published.
func NewDecrypter(o DecrypterOptions, keys ...DecryptionKey) (*Decrypter, error) {
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("jwe: a decrypter has 1 to %d keys", maxKeys)
	}
	for _, key := range keys {
		if key == nil || !key.usable() {
			return nil, errors.New("jwe: a decrypter's keys are not nil")
		}
	}
	for _, enc := range o.Encryptions {
		if _, err := offeredContent(enc); err != nil {
			return nil, err
		}
	}
	if o.MaxSize < 0 || o.MaxSize > largestMaxSize {
		return nil, errors.New("jwe: MaxSize is not negative, and at most 64 MiB")
	}
	if o.MaxSize == 0 {
		o.MaxSize = defaultMaxSize
	}
	o.Encryptions = slices.Clone(o.Encryptions)
	return &Decrypter{slices.Clone(keys), o}, nil
}

// Decrypt decrypts a message in compact, flattened or general form (RFC 7516 §7), told apart by its first byte. Whatever is wrong with
// the message, the error is ErrDecryption. With an error, the message is nil.
//
// What comes out is what somebody encrypted. Who that was is another question, which OpenToken answers for tokens: anybody has the public key.
func (d *Decrypter) Decrypt(message []byte) (*Message, error) {
	if len(message) > d.options.MaxSize {
		return nil, ErrDecryption
	}
	f, err := parseForm(message)
	if err != nil {
		return nil, ErrDecryption
	}
	c, err := d.acceptedContent(f)
	if err != nil {
		return nil, ErrDecryption
	}
	plaintext, h, key, err := d.open(f, c)
	if err != nil {
		return nil, ErrDecryption
	}
	if h.compressed {
		if plaintext, err = inflate(plaintext); err != nil {
			return nil, ErrDecryption
		}
	}
	return &Message{plaintext, f.additional, f.protected, h, c, key}, nil
}

// acceptedContent holds the form against the options. All recipients agree on the content encryption and on compression: form.check and the
// rule that "zip" is protected see to it.
func (d *Decrypter) acceptedContent(f *form) (*content, error) {
	first := f.recipients[0]
	c := contentOf(first.encryption)
	accepted := d.options.Encryptions
	if c == nil || len(accepted) > 0 && !slices.Contains(accepted, c.name) {
		return nil, ErrDecryption
	}
	for _, h := range f.recipients {
		if !h.encProtected && len(accepted) != 1 {
			return nil, ErrDecryption
		}
	}
	return c, accept(!first.compressed || d.options.Decompress)
}

// open tries the keys that may be meant, as long as the budget allows.
func (d *Decrypter) open(f *form, c *content) ([]byte, header, DecryptionKey, error) {
	left := budget{maxAttempts, maxIterations}
	for _, h := range f.recipients {
		for _, key := range d.keys {
			if !meant(&h, key, len(f.recipients) == 1) || !left.pays(&h, key) {
				continue
			}
			if plaintext, err := f.openWith(&h, key, c); err == nil {
				return plaintext, h, key, nil
			}
		}
	}
	return nil, header{}, nil, ErrDecryption
}

// budget bounds the work for one message: the attempts, and the iterations of all passwords together.
type budget struct{ attempts, iterations int }

// pays takes the price of an attempt off the budget, and reports whether it was enough.
func (b *budget) pays(h *header, key DecryptionKey) bool {
	price := 0
	if _, slow := key.(*Password); slow {
		price = h.iterations
	}
	if b.attempts == 0 || b.iterations < price {
		return false
	}
	b.attempts, b.iterations = b.attempts-1, b.iterations-price
	return true
}

// meant reports whether a recipient may be this key's holder. The algorithm is the key's: a key of another one is never tried.
func meant(h *header, key DecryptionKey, only bool) bool {
	if key.Algorithm() != h.algorithm || schemeOf(h.algorithm).direct() && !only {
		return false
	}
	return h.keyID == "" || key.KeyID() == "" || h.keyID == key.KeyID()
}

// openWith decrypts with one key. When the content's key can't be found, a random one takes its place, so that this and altered content
// take the same way to the same end (RFC 7516 §11.5).
func (f *form) openWith(h *header, key DecryptionKey, c *content) ([]byte, error) {
	random := c.newKey()
	contentKey, err := key.unwrap(&h.wrapping, c)
	if err != nil || len(contentKey) != c.keySize {
		contentKey = random
	}
	return c.open(contentKey, f.content, f.authenticated)
}
