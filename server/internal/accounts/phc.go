package accounts

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Bounds of a stored hash. They keep a row that somebody altered from taking the
// server's memory, and leave room for every recommended cost.
const (
	maxHashMemory  = 256 * 1024 // KiB
	maxHashTime    = 16
	maxHashThreads = 16
	minSaltSize    = 8
	maxSaltSize    = 64
	minKeySize     = 16
	maxKeySize     = 64
	maxPHC         = 256
)

var errPasswordHash = errors.New("not an Argon2id hash in the PHC string format, or outside its bounds")

// passwordHash is an Argon2id hash with the cost it was computed at.
type passwordHash struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
	salt    []byte
	key     []byte
}

// String returns the hash in the PHC string format:
// $argon2id$v=19$m=19456,t=2,p=1$salt$key, with unpadded base64.
func (h passwordHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, h.memory, h.time, h.threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

// compute returns the key that a password has at the hash's cost and with its salt.
func (h passwordHash) compute(derive deriveFunc, password string) []byte {
	return derive([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
}

func (h passwordHash) matches(derive deriveFunc, password string) bool {
	return subtle.ConstantTimeCompare(h.compute(derive, password), h.key) == 1
}

func (h passwordHash) current() bool {
	return h.memory == hashMemory && h.time == hashTime && h.threads == hashThreads && len(h.salt) == saltSize && len(h.key) == keySize
}

// parsePasswordHash reads exactly what String writes, within the bounds above.
func parsePasswordHash(s string) (passwordHash, error) {
	if len(s) > maxPHC {
		return passwordHash{}, errPasswordHash
	}
	fields := strings.Split(s, "$")
	if len(fields) != 6 {
		return passwordHash{}, errPasswordHash
	}
	// Errors show below: what wasn't read doesn't write the same text.
	h := parseCost(fields[3])
	h.salt, _ = base64.RawStdEncoding.DecodeString(fields[4])
	h.key, _ = base64.RawStdEncoding.DecodeString(fields[5])
	if !h.bounded() || h.String() != s {
		return passwordHash{}, errPasswordHash
	}
	return h, nil
}

// parseCost reads m=…,t=…,p=…, and anything from what isn't that.
func parseCost(s string) passwordHash {
	memory, rest, _ := strings.Cut(s, ",")
	time, threads, _ := strings.Cut(rest, ",")
	m, _ := strconv.ParseUint(strings.TrimPrefix(memory, "m="), 10, 32)
	t, _ := strconv.ParseUint(strings.TrimPrefix(time, "t="), 10, 32)
	p, _ := strconv.ParseUint(strings.TrimPrefix(threads, "p="), 10, 8)
	return passwordHash{memory: uint32(m), time: uint32(t), threads: uint8(p)}
}

func (h passwordHash) bounded() bool {
	return 1 <= h.threads && h.threads <= maxHashThreads &&
		1 <= h.time && h.time <= maxHashTime &&
		8*uint32(h.threads) <= h.memory && h.memory <= maxHashMemory &&
		minSaltSize <= len(h.salt) && len(h.salt) <= maxSaltSize &&
		minKeySize <= len(h.key) && len(h.key) <= maxKeySize
}
