package server

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jot-auth/jot/server/internal/privatefile"
)

const secretSize = 32 // bytes

// Secret is 256 random bits: a key-encryption key, or a feed credential. It prints as nothing.
type Secret struct{ bytes *[secretSize]byte }

// NewSecret makes a secret from the operating system's randomness.
func NewSecret() Secret {
	s := Secret{new([secretSize]byte)}
	rand.Read(s.bytes[:])
	return s
}

// ParseSecret reads 32 bytes in base64url without padding, with white space around them, and refuses anything else.
func ParseSecret(text string) (Secret, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimSpace(text))
	if err != nil || len(data) != secretSize {
		return Secret{}, fmt.Errorf("a secret is %d random bytes in base64url, %d characters", secretSize, base64.RawURLEncoding.EncodedLen(secretSize))
	}
	return Secret{(*[secretSize]byte)(data)}, nil
}

// SecretFile reads a secret from a file, or makes one and writes it there, with mode 0600, when there is no such file.
// It refuses a file that others can read or own, except that root's may be for one group, and anything that's not a
// regular file.
func SecretFile(path string) (Secret, error) {
	secret, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	made := NewSecret()
	if err := writeSecret(path, made.Text()); errors.Is(err, fs.ErrExist) {
		return readSecret(path) // another process was faster
	} else if err != nil {
		return Secret{}, fmt.Errorf("writing the secret %s: %w", path, err)
	}
	return made, nil
}

func readSecret(path string) (Secret, error) {
	file, err := openWithoutLinks(path)
	if err != nil {
		return Secret{}, err
	}
	defer file.Close()
	if err := privatefile.Check(file); err != nil {
		return Secret{}, fmt.Errorf("the secret %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(file, 1<<10))
	if err != nil {
		return Secret{}, err
	}
	secret, err := ParseSecret(string(text))
	if err != nil {
		return Secret{}, fmt.Errorf("the file %s: %w", path, err)
	}
	return secret, nil
}

// writeSecret writes a whole file or none: a crash in between leaves nothing under the name.
func writeSecret(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = io.WriteString(file, text+"\n")
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil { // unlike a rename, never over a file that appeared meanwhile
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Bytes returns a copy of the secret's bytes, as for issuer.Config.KeyEncryptionKey.
func (s Secret) Bytes() []byte {
	copied := *s.bytes
	return copied[:]
}

// Text returns the secret in base64url, as in its file and as a bearer credential.
func (s Secret) Text() string { return base64.RawURLEncoding.EncodeToString(s.bytes[:]) }

// Format writes a placeholder, whatever the verb: a secret is never printed by accident.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, "(secret)") }
