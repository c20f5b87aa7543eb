package accounts

import (
	"context"
	"crypto/rand"
	"unicode/utf8"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	minPassword = 12   // characters
	maxPassword = 1024 // bytes
)

// Cost of new hashes: 19 MiB, two passes, one lane.
const (
	hashMemory  = 19 * 1024 // KiB
	hashTime    = 2
	hashThreads = 1
	saltSize    = 16
	keySize     = 32
)

// deriveFunc has the signature of argon2.IDKey.
type deriveFunc func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte

// checkPassword refuses a password that an account can't have: one that is short, one that is guessed first, and one
// with the account's own name or address in it. There are no rules of composition: they make passwords more alike, not
// stronger.
func checkPassword(password string, own ...string) error {
	whole, parts := ownWords(own...)
	reason := ""
	switch {
	case len(password) > maxPassword:
		reason = "must be at most 1024 bytes long"
	case !utf8.ValidString(password):
		reason = "must be valid UTF-8"
	case utf8.RuneCountInString(password) < minPassword:
		reason = "must be at least 12 characters long"
	case holdsOwn(password, whole):
		reason = "must not contain the username or the e-mail address"
	case isCommon(password, append(parts, whole...)):
		reason = "is too common: it's made of what is guessed first; use another, such as four words that have nothing to do with each other"
	default:
		return nil
	}
	return &issuer.InputError{Field: "password", Reason: reason}
}

// hash computes the hash to store for a new password, when its turn comes.
func (a *Accounts) hash(ctx context.Context, who caller, password string) (passwordHash, error) {
	h := newPasswordHash()
	rand.Read(h.salt)
	if err := a.gate.enter(ctx, who); err != nil {
		return passwordHash{}, err
	}
	defer a.gate.leave()
	h.key = h.compute(a.derive, password)
	return h, nil
}

// verify reports whether password is the one that want was made from.
func (a *Accounts) verify(ctx context.Context, who caller, want storedHash, password string) (bool, error) {
	if err := a.gate.enter(ctx, who); err != nil {
		return false, err
	}
	defer a.gate.leave()
	return want.matches(a.derive, password), nil
}

// newPasswordHash returns a hash of today's cost with room for a salt and a key.
func newPasswordHash() passwordHash {
	return passwordHash{
		memory: hashMemory, time: hashTime, threads: hashThreads,
		salt: make([]byte, saltSize), key: make([]byte, keySize),
	}
}

// decoyHash returns a hash that costs as much to check as any other and that no
// password is known to match.
func decoyHash() passwordHash {
	h := newPasswordHash()
	rand.Read(h.salt)
	rand.Read(h.key)
	return h
}
