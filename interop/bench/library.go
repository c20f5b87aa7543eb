package main

import (
	"time"

	"github.com/jot-auth/jot"
)

// A verifier checks a token whole: form, algorithm, signature, exp, nbf, iss and aud, and decodes all 13 claims into a
// struct. It shows that to see, which is nil while time is measured, so that no struct has to be put on the heap for
// it.
type verifier func(t token, see func(claims any)) error

// A signer makes a token of the registered claims, with the key ID in its header.
type signer func() (token, error)

// library is one of the token libraries that are measured. Its keys, options and whatever else its documentation
// advises to prepare are prepared before; where it offers several ways, it goes the quickest one that it documents.
type library struct {
	name   string
	module string // empty for jot itself

	// verifier and signer return nil where the library lacks the algorithm.
	verifier func(k *keyring, alg jot.Algorithm) (verifier, error)
	signer   func(k *keyring, alg jot.Algorithm) (signer, error)
}

// show ends a verifier.
func show(see func(any), claims any) {
	if see != nil {
		see(claims)
	}
}

// peers are the other libraries, in the order of the table.
func peers() []library {
	return []library{golangJWT(), kataras(), goJose(), tink(), jwx()}
}

// registered are the claims that are signed: every registered one of RFC 7519 §4.1.
var registered = struct {
	subject, id string
	issuedAt    time.Time
	expires     time.Time
}{"usr_01JD8Z6Q3M4T9V2XK7W5", "5f0c7f3e9b4a4d1c8e2a6b7d", time.Now().Truncate(time.Second), time.Now().Truncate(time.Second).Add(24 * time.Hour)}
