package accounts

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"

	"github.com/jot-auth/jot/server/issuer"
)

// storedHash is what a password is held against: an Argon2id hash of ours, or one that another system made and that is
// replaced by ours at the next login.
type storedHash interface {
	// matches computes the hash of a password, which takes long, and compares the two in constant time.
	matches(derive deriveFunc, password string) bool
	// current reports whether it is as a new one would be.
	current() bool
}

// Bounds of what other systems made. They keep a hostile hash from taking the server's memory or time, and leave room
// for every recommended cost.
const (
	maxBcryptCost   = 14        // about a second
	maxScryptMemory = 128 << 20 // bytes: N=2^17, r=8
	maxScryptLanes  = 4
	maxForeignWork  = 1 << 20 // KiB that all passes of an Argon2 hash go over
)

var errForeignHash = &issuer.InputError{Field: "password_hash", Reason: "must be an Argon2id, Argon2i or scrypt hash as a PHC string, or a bcrypt hash, of a cost that this server bears"}

// parseStoredHash reads a hash of any kind that an account can have.
func parseStoredHash(text string) (storedHash, error) {
	switch {
	case strings.HasPrefix(text, "$2"):
		return parseBcrypt(text)
	case strings.HasPrefix(text, "$scrypt$"):
		return parseScrypt(text)
	case strings.HasPrefix(text, "$argon2i$"):
		h, err := parsePasswordHash("$argon2id$" + strings.TrimPrefix(text, "$argon2i$"))
		return argon2iHash{h}, err
	}
	return parsePasswordHash(text)
}

// checkImport refuses a hash of another system that can't be, or that costs too much.
func checkImport(text string) error {
	h, err := parseStoredHash(text)
	if err != nil {
		return errForeignHash
	}
	argon, _ := h.(passwordHash) // other kinds are bounded where they are read
	if i, isI := h.(argon2iHash); isI {
		argon = i.passwordHash
	}
	if uint64(argon.memory)*uint64(argon.time) > maxForeignWork {
		return errForeignHash
	}
	return nil
}

// argon2iHash is like one of ours, of the variant Argon2i.
type argon2iHash struct{ passwordHash }

func (h argon2iHash) matches(_ deriveFunc, password string) bool {
	return h.passwordHash.matches(argon2.Key, password)
}

func (argon2iHash) current() bool { return false }

// bcryptHash is a hash as every bcrypt writes it: $2b$12$salt and key. What a password has after 72 bytes doesn't
// count.
type bcryptHash string

var bcryptForm = regexp.MustCompile(`^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$`)

func parseBcrypt(text string) (storedHash, error) {
	found := bcryptForm.FindStringSubmatch(text)
	if found == nil {
		return nil, errForeignHash
	}
	cost, err := strconv.Atoi(found[1])
	if err != nil || cost < bcrypt.MinCost || cost > maxBcryptCost {
		return nil, errForeignHash
	}
	return bcryptHash(text), nil
}

func (h bcryptHash) matches(_ deriveFunc, password string) bool {
	return bcrypt.CompareHashAndPassword([]byte(h), []byte(password)) == nil
}

func (bcryptHash) current() bool { return false }

// scryptHash is $scrypt$ln=15,r=8,p=1$salt$key, with unpadded base64; ln is the logarithm of N (RFC 7914).
type scryptHash struct {
	ln, r, p  int
	salt, key []byte
}

var scryptForm = regexp.MustCompile(`^\$scrypt\$ln=([1-9][0-9]?),r=([1-9][0-9]?),p=([1-9])\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`)

func parseScrypt(text string) (storedHash, error) {
	found := scryptForm.FindStringSubmatch(text)
	if found == nil || len(text) > maxPHC {
		return nil, errForeignHash
	}
	var h scryptHash
	for n, field := range []*int{&h.ln, &h.r, &h.p} {
		*field, _ = strconv.Atoi(found[n+1]) // as the form has it
	}
	// What didn't decode doesn't encode to the same text.
	h.salt, _ = base64.RawStdEncoding.DecodeString(found[4])
	h.key, _ = base64.RawStdEncoding.DecodeString(found[5])
	if !h.bounded() || h.String() != text {
		return nil, errForeignHash
	}
	return h, nil
}

func (h scryptHash) bounded() bool {
	return h.ln < 32 && 128*uint64(h.r)<<h.ln <= maxScryptMemory && h.p <= maxScryptLanes &&
		minSaltSize <= len(h.salt) && len(h.salt) <= maxSaltSize && minKeySize <= len(h.key) && len(h.key) <= maxKeySize
}

// String returns the hash as it was read.
func (h scryptHash) String() string {
	return fmt.Sprintf("$scrypt$ln=%d,r=%d,p=%d$%s$%s", h.ln, h.r, h.p, base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

func (h scryptHash) matches(_ deriveFunc, password string) bool {
	key, err := scrypt.Key([]byte(password), h.salt, 1<<h.ln, h.r, h.p, len(h.key))
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1
}

func (scryptHash) current() bool { return false }
