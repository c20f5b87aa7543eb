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

// ParseSecret reads 32 bytes in base64url without padding.
func ParseSecret(text string) (Secret, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimSpace(text))
	if err != nil || len(data) != secretSize {
		return Secret{}, fmt.Errorf("a secret is %d random bytes in base64url, %d characters", secretSize, base64.RawURLEncoding.EncodedLen(secretSize))
	}
	return Secret{(*[secretSize]byte)(data)}, nil
}

// SecretFile reads a secret from a file, or makes one and writes it there, with mode 0600, when there is no such file. It refuses a
// file that others can read or own, and anything that's not a regular file.
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
	if err := checkPrivate(file); err != nil {
		return Secret{}, err
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

// checkPrivate looks at the open file, so that nobody can exchange it in between.
func checkPrivate(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("the secret %s is not a regular file: name the file itself", file.Name())
	case !ownedByUs(info):
		return fmt.Errorf("the secret %s belongs to another user, who knows it: replace it by one of your own", file.Name())
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("the secret %s can be read by others (mode %04o): chmod 600 it, and replace it if somebody may have read it", file.Name(), info.Mode().Perm())
	}
	return nil
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
