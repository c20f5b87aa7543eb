package jwe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jot-auth/jot"
)

const (
	defaultMaxSize = 1 << 20
	largestMaxSize = 64 << 20

	maxKeys     = 32
	maxAttempts = 8 // pairs of a recipient and a key that are tried for one message
)

// work is what attempts cost: their number, where a slow one counts as several, and all their iterations of a password
// together.
type work struct{ attempts, iterations int }

// pays takes a price off what is left, and reports whether that was enough.
func (left *work) pays(price work) bool {
	if left.attempts < price.attempts || left.iterations < price.iterations {
		return false
	}
	left.attempts, left.iterations = left.attempts-price.attempts, left.iterations-price.iterations
	return true
}

// allowance is the work that one message is worth.
var allowance = work{maxAttempts, maxIterations}

// DecrypterOptions are what a decrypter accepts. The zero value accepts the least; each weakening has a name of its
// own.
type DecrypterOptions struct {
	// Encryptions are the accepted content encryptions; empty accepts all that this package offers. If it names exactly
	// one, "enc" may stand outside of the protected header, as in RFC 7520 §5.12: then there's nothing to gain from
	// altering it. Otherwise it has to be protected.
	Encryptions []Encryption
	// Decompress accepts content that is written as DEFLATE, "zip" (RFC 7516 §4.1.3), of at most 250 KiB when inflated.
	Decompress bool
	// MaxSize bounds the whole message in bytes; 0 means 1 MiB, and 64 MiB is the most. It's checked before anything is
	// read.
	MaxSize int
}

// Decrypter decrypts messages that were encrypted for one of its keys. It's immutable and safe for concurrent use.
type Decrypter struct {
	keys    []DecryptionKey
	options DecrypterOptions
}

// NewDecrypter makes a decrypter with 1 to 32 keys: several, so that they can be rotated. For a recipient that a
// message names a key ID for, it tries the keys of that ID and those that have none; for one without, all keys of the
// algorithm. It tries 8 times at most, and 2 times with an RSA key of more than 4096 bits; all passwords together take
// at most 1,200,000 iterations. So a key needs the ID under which it was published, and keys without an ID are refused
// if there are more of one algorithm than this allows: 8, or 2 passwords of 600,000 iterations.
func NewDecrypter(o DecrypterOptions, keys ...DecryptionKey) (*Decrypter, error) {
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("jwe: a decrypter has 1 to %d keys", maxKeys)
	}
	if err := checkDecryptionKeys(keys); err != nil {
		return nil, err
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

func checkDecryptionKeys(keys []DecryptionKey) error {
	unnamed := attempts{}
	for _, key := range keys {
		switch key.(type) {
		case *PrivateKey, *SecretKey, *Password:
		default:
			return errors.New("jwe: a decrypter's keys are *PrivateKey, *SecretKey and *Password, not nil and not embedded in another type")
		}
		if !key.usable() {
			return errNoKey
		}
		if key.KeyID() == "" && !unnamed.pay(key.Algorithm(), key.usual()) {
			return fmt.Errorf("jwe: too many keys for %s without a key ID to try them all: give each the ID under which messages are encrypted for it", key.Algorithm())
		}
	}
	return nil
}

// attempts are what is left for the keys of each algorithm when a decrypter tries all of them.
type attempts map[Algorithm]work

func (a attempts) pay(alg Algorithm, price work) bool {
	left, begun := a[alg]
	if !begun {
		left = allowance
	}
	enough := left.pays(price)
	a[alg] = left
	return enough
}

// Decrypt decrypts a message in compact, flattened or general form (RFC 7516 §7), told apart by its first byte.
// Whatever is wrong with the message, the error is ErrDecryption. Two errors say nothing of the message:
// ErrUnavailable, when the holder of a key can't be asked, and the context's own, when that ended. With an error, the
// message is nil.
//
// What comes out is what somebody encrypted. Who that was is another question, which OpenToken answers for tokens:
// anybody has the public key.
func (d *Decrypter) Decrypt(ctx context.Context, message []byte) (*Message, error) {
	o, err := d.decrypt(ctx, message)
	if err != nil {
		return nil, err
	}
	return &Message{func() opened { return *o }}, nil
}

func (d *Decrypter) decrypt(ctx context.Context, message []byte) (*opened, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(d.keys) == 0 {
		return nil, errors.New("jwe: the zero value of Decrypter has no keys")
	}
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
	return d.openContent(ctx, f, c)
}

// openContent decrypts, and inflates what was deflated.
func (d *Decrypter) openContent(ctx context.Context, f *form, c *content) (*opened, error) {
	o, err := d.open(ctx, f, c)
	if err != nil {
		return nil, err
	}
	if o.header.compressed {
		if o.plaintext, err = inflate(o.plaintext); err != nil {
			return nil, ErrDecryption
		}
	}
	return o, nil
}

// acceptedContent holds the form against the options. All recipients agree on the content encryption and on
// compression: form.check and the rule that "zip" is protected see to it.
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

// open tries the keys that may be meant, as long as the allowance lasts. An attempt that failed while the context
// ended, or for want of the key's holder, says nothing of the message.
func (d *Decrypter) open(ctx context.Context, f *form, c *content) (*opened, error) {
	left, failure := allowance, ErrDecryption
	for _, h := range f.recipients {
		for _, key := range d.keys {
			if !meant(&h, key, len(f.recipients) == 1) || !left.pays(key.price(&h.wrapping)) {
				continue
			}
			plaintext, err := f.openWith(ctx, &h, key, c)
			switch {
			case err == nil:
				return &opened{plaintext, f.additional, f.protected, h, c, key}, nil
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case err == ErrUnavailable:
				failure = ErrUnavailable
			}
		}
	}
	return nil, failure
}

// meant reports whether a recipient may be this key's holder. The algorithm is the key's: a key of another one is never
// tried.
func meant(h *header, key DecryptionKey, only bool) bool {
	if key.Algorithm() != h.algorithm || schemeOf(h.algorithm).direct() && !only {
		return false
	}
	return h.keyID == "" || key.KeyID() == "" || h.keyID == key.KeyID()
}

// openWith decrypts with one key. When the content's key can't be found, a random one takes its place, so that this and
// altered content take the same way to the same end (RFC 7516 §11.5).
func (f *form) openWith(ctx context.Context, h *header, key DecryptionKey, c *content) ([]byte, error) {
	random := c.newKey()
	contentKey, err := key.unwrap(ctx, &h.wrapping, c)
	if errors.Is(err, jot.ErrUnavailable) {
		return nil, ErrUnavailable
	}
	if err != nil || len(contentKey) != c.keySize {
		contentKey = random
	}
	return c.open(contentKey, f.content, f.authenticated)
}
