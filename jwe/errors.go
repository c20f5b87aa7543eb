package jwe

import "github.com/jot-auth/jot"

// ErrDecryption is every refusal of a message, and errors.Is(err, jot.ErrInvalidToken) holds for it. It's the same
// whatever was wrong: the form, the algorithm, the key, the tag. An attacker who alters messages and watches the
// answers learns nothing from it (RFC 7516 §11.5), and neither does a log.
var ErrDecryption error = &decryptionError{"jwe: this message can't be decrypted", jot.ErrInvalidToken}

// ErrUnavailable says nothing about the message: whoever holds the key can't be asked now, and errors.Is(err,
// jot.ErrUnavailable) holds. It's the same whatever the holder said.
var ErrUnavailable error = &decryptionError{"jwe: the holder of the key can't be asked now", jot.ErrUnavailable}

// decryptionError is a sentinel that also answers to another, without wrapping it.
type decryptionError struct {
	text string
	kind error
}

func (e *decryptionError) Error() string { return e.text }

func (e *decryptionError) Is(target error) bool { return target == e.kind }
