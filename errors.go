package jot

import (
	"errors"
	"strings"
)

// tokenError is a sentinel that also answers to ErrInvalidToken, without wrapping, so that
// refusing a token allocates nothing.
type tokenError struct{ text string }

func (e *tokenError) Error() string        { return e.text }
func (e *tokenError) Is(target error) bool { return target == ErrInvalidToken }

// Every token that is refused gives an error for which errors.Is(err, ErrInvalidToken) holds: an API
// answers 401. The other sentinels say more exactly why; a caller branches on them at most to
// tell a person what to do, never to accept.
var (
	// ErrInvalidToken is every refusal of a token.
	ErrInvalidToken = errors.New("jot: invalid token")

	// ErrMalformed is a token whose bytes break RFC 7515, RFC 7519 or the strictness rules of this package.
	ErrMalformed error = &tokenError{"jot: malformed token"}
	// ErrTooLarge is a token longer than VerifierOptions.MaxSize, of which nothing was read, or one whose header has
	// more than 8 KiB.
	ErrTooLarge error = &tokenError{"jot: token is larger than the verifier's limit"}
	// ErrAlgorithm is a token whose header names an algorithm that is unknown, "none", not
	// among VerifierOptions.Algorithms, or not the algorithm of the key (RFC 8725 §3.1).
	ErrAlgorithm error = &tokenError{"jot: algorithm is not the one of the key"}
	// ErrUnknownKey is a token for whose key ID and algorithm the key source has no key.
	ErrUnknownKey error = &tokenError{"jot: no key with this token's key ID and algorithm"}
	// ErrSignature is a token whose signature doesn't verify.
	ErrSignature error = &tokenError{"jot: signature does not verify"}
	// ErrType is a token whose "typ" is not the verifier's (RFC 8725 §3.11).
	ErrType error = &tokenError{"jot: token is of another type than this verifier's (VerifierOptions.Type)"}
	// ErrExpired is a token at or after its "exp" (RFC 7519 §4.1.4).
	ErrExpired error = &tokenError{"jot: token has expired"}
	// ErrNotYetValid is a token before its "nbf" (RFC 7519 §4.1.5), or one whose "iat" lies ahead where that counts:
	// see VerifierOptions.RequirePastIssuedAt and Leeway.
	ErrNotYetValid error = &tokenError{"jot: token is not valid yet"}
	// ErrRevoked is a token that a revocation rule refuses.
	ErrRevoked error = &tokenError{"jot: token was revoked"}
	// ErrStaleClaims is a token whose subject's claims have changed since: a client refreshes once and tries again.
	ErrStaleClaims error = &tokenError{"jot: token carries stale claims; refresh it"}
)

// ErrUnavailable is a key source or a revocation feed that failed. It says nothing about the token and is
// not ErrInvalidToken: an API answers 503, and the client keeps its tokens.
var ErrUnavailable = errors.New("jot: cannot verify now")

// unavailableError is an ErrUnavailable with its cause. A cause that is a refusal is not to be found in it: whoever
// looks for ErrInvalidToken first would take the source's trouble for the token's.
type unavailableError struct{ cause error }

func unavailable(cause error) error { return &unavailableError{cause} }

func (e *unavailableError) Error() string {
	text := ErrUnavailable.Error()
	cause := strings.TrimPrefix(e.cause.Error(), text+": ")
	return text + ": " + strings.TrimSuffix(cause, ": "+text)
}

func (e *unavailableError) Is(target error) bool { return target == ErrUnavailable }

func (e *unavailableError) Unwrap() error {
	if errors.Is(e.cause, ErrInvalidToken) {
		return nil
	}
	return e.cause
}

// DecodeError says that the claims of a verified token don't fit the value that they are to be decoded into. It names
// the field and its Go type, and never quotes what the token says.
type DecodeError struct {
	// Field is the path of the member, such as "address.zip"; empty when it isn't known.
	Field string
	// Type is the Go type that it doesn't fit.
	Type string
}

// Error names the field and the type.
func (e *DecodeError) Error() string {
	if e.Field == "" {
		return "jot: the claims don't fit into " + e.Type
	}
	return "jot: claim " + e.Field + " doesn't fit into " + e.Type
}

// ClaimError is a refusal for the sake of one claim: the issuer or audience is another,
// a required claim is missing, or its type is wrong. It names the claim and never quotes its value.
type ClaimError struct {
	// Claim is the name: "iss", "aud", "exp", …
	Claim string
	// Reason says what is wrong with it.
	Reason string

	malformed bool
}

// Error names the claim and the reason.
func (e *ClaimError) Error() string { return "jot: claim " + e.Claim + " " + e.Reason }

// Is makes every ClaimError an ErrInvalidToken, and one of a wrong JSON type an ErrMalformed.
func (e *ClaimError) Is(target error) bool {
	return target == ErrInvalidToken || e.malformed && target == ErrMalformed
}

// malformedError is an ErrMalformed that says which part is broken, and how.
type malformedError struct {
	part   string
	reason string
	cause  error
}

func malformed(part, reason string) error { return &malformedError{part: part, reason: reason} }

func malformedBy(part string, cause error) error { return &malformedError{part: part, cause: cause} }

func (e *malformedError) Error() string {
	if e.cause != nil {
		return "jot: malformed token: " + e.part + ": " + e.cause.Error()
	}
	return "jot: malformed token: " + e.part + " " + e.reason
}

func (e *malformedError) Is(target error) bool {
	return target == ErrMalformed || target == ErrInvalidToken
}
func (e *malformedError) Unwrap() error { return e.cause }
