package jwe

import (
	"context"
	"crypto/pbkdf2"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

const (
	minPasswordSize = 8   // bytes
	maxPasswordSize = 128 // RFC 7518 §8.8 recommends it, against long computations
	minIterations   = 1000
	maxIterations   = 1_200_000
	minSaltSize     = 8 // RFC 7518 §4.8.1.1
	saltSize        = 16
)

// Password encrypts and decrypts with a password (RFC 7518 §4.8): whoever gets hold of a message can try guesses, as
// fast as their machines go, for as long as they like. So it's the last resort, for what a person has to remember;
// programs share a SecretKey.
//
// Decrypting a message costs as many iterations of PBKDF2 as its sender says, up to 1,200,000: with SHA-256 about half
// a second of one core, with SHA-384 and SHA-512 up to two. Have a Password among the keys of a Decrypter only where
// people's files are opened, and no stranger's requests.
type Password struct {
	id         string
	scheme     *scheme
	iterations int
	password   func() []byte // a function, as in PrivateKey
}

// PasswordOptions are the optional attributes of a Password.
type PasswordOptions struct {
	// KeyID is the "kid" of its messages, at most 256 bytes; empty means none.
	KeyID string
	// Iterations is the cost of encrypting, and of each guess: 1000 to 1,200,000. 0 means 600,000 with SHA-256, and
	// 210,000 with SHA-384 and SHA-512, whose every iteration takes longer. When decrypting, the message says it.
	Iterations int
}

// NewPassword binds a password of 8 to 128 bytes to one of the algorithms PBES2_HS256_A128KW, PBES2_HS384_A192KW and
// PBES2_HS512_A256KW. The password's bytes are used as they are: settle on one form of Unicode, such as NFC, before.
func NewPassword(alg Algorithm, password []byte, o PasswordOptions) (*Password, error) {
	s, err := schemeAmong(alg, "takes no password: use NewSecretKey or NewPrivateKey", familyPassword)
	if err != nil {
		return nil, err
	}
	if len(password) < minPasswordSize || len(password) > maxPasswordSize {
		return nil, fmt.Errorf("jwe: a password has %d to %d bytes", minPasswordSize, maxPasswordSize)
	}
	if o.Iterations == 0 {
		o.Iterations = 210_000
		if alg == PBES2_HS256_A128KW {
			o.Iterations = 600_000
		}
	}
	if o.Iterations < minIterations || o.Iterations > maxIterations {
		return nil, fmt.Errorf("jwe: a password takes %d to %d iterations", minIterations, maxIterations)
	}
	if err := checkKeyID(o.KeyID); err != nil {
		return nil, err
	}
	password = slices.Clone(password)
	return &Password{o.KeyID, s, o.Iterations, func() []byte { return password }}, nil
}

func (k *Password) usable() bool { return k != nil && k.password != nil }

func (k *Password) bound() *content { return nil }

// price is that of the iterations that a message asks for. One that asks for too many is refused at no price.
func (k *Password) price(w *wrapping) work {
	if w.checkBounds() != nil {
		return work{attempts: 1}
	}
	return work{attempts: 1, iterations: w.iterations}
}

func (k *Password) usual() work {
	return work{attempts: 1, iterations: k.iterations}
}

// KeyID returns the key's "kid"; empty where it has none.
func (k *Password) KeyID() string { return k.id }

// Algorithm returns the one algorithm of this key; empty for the zero value.
func (k *Password) Algorithm() Algorithm { return k.scheme.keyAlgorithm() }

// Format writes the algorithm and the key ID, whatever the verb: the password is never printed.
func (k Password) Format(f fmt.State, _ rune) { describeKey(f, "password", k.scheme, k.id) }

// LogValue is what log/slog writes: the algorithm and the key ID.
func (k Password) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// MarshalJSON always fails: a password is not to be written by accident.
func (k Password) MarshalJSON() ([]byte, error) {
	return nil, errors.New("jwe: passwords are not written as JSON")
}

func (k *Password) wrap(w *wrapping, _ *content, proposed []byte) ([]byte, error) {
	w.salt, w.iterations = randomBytes(saltSize), k.iterations
	derived, err := k.derive(w)
	if err != nil {
		return nil, err
	}
	w.encryptedKey, err = wrapKey(derived, proposed)
	return proposed, err
}

func (k *Password) unwrap(_ context.Context, w *wrapping, c *content) ([]byte, error) {
	if err := w.checkBounds(); err != nil {
		return nil, err
	}
	derived, err := k.derive(w)
	if err != nil {
		return nil, err
	}
	return unwrapKey(derived, w.encryptedKey, c.keySize)
}

// checkBounds refuses a salt and iterations that would be too weak, or take too long (RFC 7518 §4.8.1, §8.8).
func (w *wrapping) checkBounds() error {
	if len(w.salt) < minSaltSize || w.iterations < minIterations || w.iterations > maxIterations {
		return errors.New("jwe: salt or iterations out of bounds")
	}
	return nil
}

// derive makes the key that wraps the content's key. The algorithm's name is part of the salt (RFC 7518 §4.8.1.1).
func (k *Password) derive(w *wrapping) ([]byte, error) {
	salt := slices.Concat([]byte(k.scheme.name), []byte{0}, w.salt)
	return pbkdf2.Key(k.scheme.hash.New, string(k.password()), salt, w.iterations, k.scheme.wrapSize)
}
