package jws

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jot-auth/jot"
)

// refusal is an error of this package that answers to one of package jot's, so that callers branch on the same few.
type refusal struct {
	reason string
	kind   error
	cause  error
}

func refuse(kind error, reason string) error { return &refusal{reason: reason, kind: kind} }

func malformed(part, reason string) error {
	return &refusal{reason: "malformed message: " + part + " " + reason, kind: jot.ErrMalformed}
}

func malformedBy(part string, cause error) error {
	return &refusal{reason: "malformed message: " + part + ": " + cause.Error(), kind: jot.ErrMalformed, cause: cause}
}

func (e *refusal) Error() string { return "jws: " + e.reason }

func (e *refusal) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

// unavailable says that a key source failed. A cause that is a refusal is not to be found in it: whoever looks for
// ErrInvalidToken first would take the source's trouble for the message's.
func unavailable(cause error) error {
	reason := "cannot verify now: " + cause.Error()
	if errors.Is(cause, jot.ErrInvalidToken) {
		cause = nil
	}
	return &refusal{reason, jot.ErrUnavailable, cause}
}

// progress is how far a signature came before it was refused.
var progress = []error{jot.ErrMalformed, jot.ErrUnknownKey, jot.ErrAlgorithm, jot.ErrSignature, jot.ErrType, jot.ErrUnavailable}

// further returns the refusal of the signature that came further, where there is more than one. A source that failed
// counts as furthest: its message may be good.
func further(a, b error) error {
	if a == nil || progressOf(b) > progressOf(a) {
		return b
	}
	return a
}

func progressOf(err error) int {
	return slices.IndexFunc(progress, func(kind error) bool { return errors.Is(err, kind) })
}

// forSigner says which of several required signers a refusal is about.
func forSigner(position, count int, err error) error {
	if count == 1 {
		return err
	}
	reason := strings.TrimPrefix(err.Error(), "jws: ")
	return &refusal{reason: fmt.Sprintf("required signer %d of %d: %s", position+1, count, reason), kind: err}
}
