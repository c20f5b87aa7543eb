package jwe

import "github.com/jot-auth/jot"

// ErrDecryption is every refusal of a message, and errors.Is(err, jot.ErrInvalidToken) holds for it. It's the same whatever was wrong:
// the form, the algorithm, the key, the tag. An attacker who alters messages and watches the answers learns nothing from it (RFC 7516 §11.5),
// and neither does a log.
var ErrDecryption error = decryptionError{}

type decryptionError struct{}

func (decryptionError) Error() string { return "jwe: this message can't be decrypted" }

func (decryptionError) Is(target error) bool { return target == jot.ErrInvalidToken }
