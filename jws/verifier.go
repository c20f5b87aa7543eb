package jws

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/internal/jose"
)

const (
	defaultMaxSize = 1 << 20
	largestMaxSize = 64 << 20
	maxCandidates  = 4  // keys of one source tried for one signature, as in package jot
	maxTrials      = 16 // keys of one source tried for all signatures of a message
)

// VerifierOptions are what a verifier demands of a message beside its signatures. Each weakening has a name of its own.
type VerifierOptions struct {
	// Type is the one accepted "typ", with or without "application/" and whatever its case, so that no other kind of
	// message which the same keys sign passes for this one (RFC 7515 §4.1.9, RFC 8725 §3.11). It counts only where it's
	// protected. Exactly one of Type, NoType and AnyType is stated. A JWT's type is refused: package jot checks what a
	// JWT claims as well.
	Type string
	// NoType accepts only messages without a protected "typ".
	NoType bool
	// AnyType accepts whatever "typ" says, a JWT's included: with it, the caller tells the kinds of messages apart.
	AnyType bool

	// Algorithms are the accepted ones, among the constants of package jot. Empty accepts whatever the keys fix.
	Algorithms []jot.Algorithm

	// Unencoded accepts messages that sign their payload as it is ("b64" false, RFC 7797), beside those that encode it.
	Unencoded bool

	// Critical names extensions that the caller understands: a message may list them in "crit" (RFC 7515 §4.1.11), and
	// then the caller acts on them, as Signature.DecodeHeader reads them. All others are refused.
	Critical []string

	// UnprotectedAlgorithm accepts "alg" from an unprotected header (RFC 7515 §4.1.1, RFC 7520 §4.7). It still is the
	// key that fixes the algorithm, but nothing else in such a header is protected either.
	UnprotectedAlgorithm bool

	// MaxSize bounds the message in bytes, without a detached payload, whose size is the caller's to bound; 0 means 1
	// MiB, and 64 MiB is the most. It's checked before anything is read.
	MaxSize int
}

// Verifier checks messages. It's immutable and safe for concurrent use.
type Verifier struct {
	required []jot.KeySource
	options  VerifierOptions
}

// NewVerifier makes a verifier of messages that all required signers signed, each named by a key source of its own, at
// most 16. Where one of several may sign, put their keys into one source. Two sources must not share a key: one
// signature never counts for two signers, nor do two that one key made with two algorithms. A source takes the first
// signature that holds for it, so with sources that share keys the order of a message's signatures may decide whether
// it passes. For each source at most 16 keys are tried, so that junk among the signatures costs little. A KeySet or
// SecretKeySet without a key is refused; other sources may be empty at first.
func NewVerifier(o VerifierOptions, required ...jot.KeySource) (*Verifier, error) {
	if len(required) == 0 || len(required) > maxSignatures || slices.Contains(required, nil) {
		return nil, fmt.Errorf("jws: a verifier needs a key source for each required signer, 1 to %d", maxSignatures)
	}
	if slices.ContainsFunc(required, isEmptySet) {
		return nil, errors.New("jws: the key set of a required signer holds no key, so that no message would ever pass: see its Skipped")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.MaxSize == 0 {
		o.MaxSize = defaultMaxSize
	}
	o.Algorithms, o.Critical = slices.Clone(o.Algorithms), slices.Clone(o.Critical)
	return &Verifier{slices.Clone(required), o}, nil
}

// isEmptySet reports a set that has no key and, being immutable, never will. Other key sources may be empty at first.
func isEmptySet(keys jot.KeySource) bool {
	switch set := keys.(type) {
	case *jot.KeySet:
		return len(set.Keys()) == 0
	case *jot.SecretKeySet:
		return len(set.Keys()) == 0
	}
	return false
}

func (o *VerifierOptions) check() error {
	stated := 0
	for _, s := range []bool{o.Type != "", o.NoType, o.AnyType} {
		if s {
			stated++
		}
	}
	if stated != 1 {
		return errors.New("jws: a verifier states exactly one of Type, NoType and AnyType")
	}
	if err := checkType(o.Type); err != nil {
		return err
	}
	for _, alg := range o.Algorithms {
		if !offered(alg) {
			return fmt.Errorf("jws: Algorithms names %.32q, which is none of package jot's", string(alg))
		}
	}
	for _, name := range o.Critical {
		if name == "" || name == "b64" || jose.IsRegistered(name) {
			return fmt.Errorf("jws: Critical names extensions, and %.32q is none: for b64 state Unencoded", name)
		}
	}
	if o.MaxSize < 0 || o.MaxSize > largestMaxSize {
		return errors.New("jws: MaxSize is not negative and at most 64 MiB")
	}
	return nil
}

// offered reports whether package jot has an algorithm: one with a hash of its own, or one of these.
func offered(alg jot.Algorithm) bool {
	return alg.Hash() != 0 || slices.Contains([]jot.Algorithm{jot.EdDSA, jot.Ed25519, jot.MLDSA44, jot.MLDSA65, jot.MLDSA87}, alg)
}

var errMediaType = errors.New("jws: a type is a media type, printable ASCII without spaces (RFC 6838 §4.2)")

// checkType checks a stated type. That of a JWT is left to package jot: here, nobody would look at what the token
// claims.
func checkType(t string) error {
	if t != "" && !jose.IsMediaType(t) {
		return errMediaType
	}
	if jose.IsJWT(t) {
		return errors.New("jws: a JWT is signed and verified by package jot, which checks its claims; with AnyType a verifier takes one as mere bytes")
	}
	return nil
}

// Verify checks a message that brings its payload along, in compact, flattened or general serialization (RFC 7515 §7),
// told apart by the first byte. A refusal is a jot.ErrInvalidToken, and more exactly jot.ErrMalformed, ErrTooLarge,
// ErrAlgorithm, ErrUnknownKey, ErrSignature or ErrType; jot.ErrUnavailable says that a key source failed. With an
// error, the message is nil.
func (v *Verifier) Verify(ctx context.Context, message []byte) (*Message, error) {
	return v.verify(ctx, message, (*envelope).ownContent)
}

// VerifyDetached checks a message whose payload came by itself (RFC 7515 appendix F); the message must have none. The
// result's Payload is a copy of this one. Errors are those of Verify.
func (v *Verifier) VerifyDetached(ctx context.Context, message, payload []byte) (*Message, error) {
	return v.verify(ctx, message, func(e *envelope) (*content, error) { return e.detachedContent(payload) })
}

func (v *Verifier) verify(ctx context.Context, message []byte, contentOf func(*envelope) (*content, error)) (*Message, error) {
	if len(message) > v.options.MaxSize {
		return nil, refuse(jot.ErrTooLarge, "message is larger than the verifier's limit")
	}
	e, err := open(message)
	if err != nil {
		return nil, err
	}
	c, err := contentOf(e)
	if err != nil {
		return nil, err
	}
	verified := make([]Signature, len(v.required))
	for i, source := range v.required {
		if verified[i], err = v.find(ctx, source, e, c); err != nil {
			return nil, forSigner(i, len(v.required), err)
		}
	}
	if err := checkDistinct(verified, c); err != nil {
		return nil, err
	}
	return newMessage(c.payload, e.unencoded, verified), nil
}

// find returns the first signature of the message that holds for the source. Signatures that aren't needed may be of
// any kind: a recipient decides which ones count (RFC 7515 §5.2). Whatever they are, no more than maxTrials keys are
// tried.
func (v *Verifier) find(ctx context.Context, source jot.KeySource, e *envelope, c *content) (Signature, error) {
	var refused error
	trials := maxTrials
	for _, s := range e.signatures {
		key, err := v.try(ctx, source, s, c, &trials)
		if err == nil {
			return Signature{s, key}, nil
		}
		refused = further(refused, err)
	}
	return Signature{}, refused
}

// try checks one signature with the keys that the source has for its header. The algorithm is the key's: a key of
// another one is never tried, and each one that is takes a trial.
func (v *Verifier) try(ctx context.Context, source jot.KeySource, s *signature, c *content, trials *int) (jot.VerificationKey, error) {
	if err := v.checkHeader(s.header); err != nil {
		return nil, err
	}
	alg := s.header.algorithm()
	if len(v.options.Algorithms) > 0 && !slices.Contains(v.options.Algorithms, alg) {
		return nil, errAlgorithm
	}
	keys, err := source.VerificationKeys(ctx, alg, s.header.keyID())
	if err != nil {
		return nil, unavailable(err)
	}
	if len(keys) == 0 {
		return nil, errUnknownKey
	}
	refused := errAlgorithm
	for _, key := range keys[:min(len(keys), maxCandidates)] {
		if key == nil || key.Algorithm() != alg {
			continue
		}
		if *trials == 0 {
			return nil, errTrials
		}
		*trials--
		if key.VerifyInput(c.input(s), s.value) {
			return key, v.checkType(s.header)
		}
		refused = errSignature
	}
	return nil, refused
}

var (
	errAlgorithm  = refuse(jot.ErrAlgorithm, "algorithm is not the one of the key")
	errUnknownKey = refuse(jot.ErrUnknownKey, "no key for this signature in the key source")
	errSignature  = refuse(jot.ErrSignature, "signature does not verify")
	errTrials     = refuse(jot.ErrSignature, "none of the first 16 signatures and keys tried for a signer verifies: name keys by their IDs, and send fewer signatures")
	errType       = refuse(jot.ErrType, "message is of another type than this verifier's")
	errShared     = refuse(jot.ErrSignature, "one key signed for two required signers: give each signer a key source of its own")
)

// checkHeader refuses a signature that asks for more than this verifier understands.
func (v *Verifier) checkHeader(h *header) error {
	for _, name := range h.critical {
		switch {
		case name == "b64" && !v.options.Unencoded:
			return malformed("protected header", `has "b64": if its payload may be unencoded, set Unencoded (RFC 7797)`)
		case name != "b64" && !slices.Contains(v.options.Critical, name):
			return malformed("protected header", `has a "crit" with an extension that this verifier doesn't understand (RFC 7515 §4.1.11)`)
		}
	}
	if h.protected.Algorithm == "" && !v.options.UnprotectedAlgorithm {
		return malformed("header", `has "alg" unprotected: if that's meant, set UnprotectedAlgorithm`)
	}
	return nil
}

func (v *Verifier) checkType(h *header) error {
	switch {
	case v.options.AnyType, v.options.NoType && h.typ == "", v.options.Type != "" && jose.SameType(h.typ, v.options.Type):
		return nil
	}
	return errType
}

// checkDistinct refuses two required signers that turn out to be one: their keys are one, or at least verify the same
// signature, as do two objects of one secret.
func checkDistinct(verified []Signature, c *content) error {
	for i, a := range verified {
		for _, b := range verified[i+1:] {
			if sameKey(a.key, b.key) || b.key.VerifyInput(c.input(a.signature), a.value) {
				return errShared
			}
		}
	}
	return nil
}
