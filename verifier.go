package jot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jot-auth/jot/internal/jose"
)

const (
	defaultMaxSize = 16 << 10
	largestMaxSize = 16 << 20
)

// VerifierOptions are what a verifier demands of a token beside its signature. The zero value demands the most; each
// weakening has a name of its own.
type VerifierOptions struct {
	// Issuer is the one accepted "iss", compared byte by byte (RFC 7519 §4.1.1). It's stated, or waived by AnyIssuer.
	Issuer    string
	AnyIssuer bool

	// Audience must be among the values of "aud" (RFC 7519 §4.1.3), else a token that was made for another API would
	// pass here. It's stated, or waived by AnyAudience.
	Audience    string
	AnyAudience bool
	// NoAudience accepts only tokens without "aud": one that names recipients wasn't made for a verifier that is none
	// of them.
	NoAudience bool

	// Type is the one accepted "typ", with or without "application/" and whatever its case, so that one kind of
	// token never passes for another (RFC 8725 §3.11). Empty accepts "JWT" and no "typ"; AnyType waives it.
	Type    string
	AnyType bool

	// Algorithms are the accepted ones. Empty accepts whatever the keys fix.
	Algorithms []Algorithm

	// RequirePastIssuedAt refuses a token whose "iat" is ahead of the verifier's clock by more than Leeway. RFC 7519
	// doesn't ask for it.
	RequirePastIssuedAt bool
	// NoExpiry accepts a token without "exp". An "exp" that is there still counts.
	NoExpiry bool
	// MaxTTL bounds exp − iat and so requires both; 0 sets no bound. With it, a revocation rule may be forgotten after
	// this time and the minute by which iat may be ahead.
	MaxTTL time.Duration
	// Leeway is how much the clocks of issuer and verifier may differ when "exp" and "nbf" are judged; 0: not at all.
	// Where its age counts, for MaxTTL and Revocation, a token's "iat" may be a minute further ahead: the clocks of two
	// machines are never quite equal.
	Leeway time.Duration
	// MaxSize bounds the whole token in bytes; 0 means 16 KiB. It's checked before anything is read.
	MaxSize int
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// Revocation is asked after everything else passed; nil means that tokens live until they expire.
	Revocation RevocationChecker

	// CacheSize is how many verified tokens the verifier remembers, at most 1<<20, so that a client that comes again
	// costs no signature check; 0 remembers none. A token is remembered as a whole, once everything passed, and found
	// again by its every byte. Each time the clock, Revocation and the key source are asked anew. The source must still
	// answer the very key that verified the token, the same pointer: a key that left, or a key set that was read anew,
	// empties the cache at once. An entry takes the memory of the token twice over and 500 bytes; a token above 4 KiB
	// is not remembered.
	CacheSize int
}

// Verifier checks tokens: signature, policy, revocation. It's immutable and safe for concurrent use. The zero value
// refuses every token.
type Verifier struct {
	keys      KeySource
	options   VerifierOptions
	headers   headerMemory
	cache     *tokenCache // nil if no tokens are remembered
	scratches sync.Pool
}

// NewVerifier makes a verifier of tokens that the keys signed. It refuses options that leave issuer or audience open
// without saying so, or that contradict each other, and a KeySet or SecretKeySet without a key. Other key sources may
// be empty at first.
func NewVerifier(keys KeySource, o VerifierOptions) (*Verifier, error) {
	if keys == nil {
		return nil, errors.New("jot: a verifier needs a key source")
	}
	if isEmptySet(keys) {
		return nil, errors.New("jot: this key set holds no key, so that no token would ever pass: see its Skipped")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.MaxSize == 0 {
		o.MaxSize = defaultMaxSize
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Algorithms = slices.Clone(o.Algorithms)
	return &Verifier{keys: keys, options: o, cache: newTokenCache(o.CacheSize)}, nil
}

// isEmptySet reports a set that has no key and, being immutable, never will.
func isEmptySet(keys KeySource) bool {
	switch set := keys.(type) {
	case *KeySet:
		return set == nil || len(set.keys) == 0
	case *SecretKeySet:
		return set == nil || len(set.keys) == 0
	}
	return false
}

func (o *VerifierOptions) check() error {
	if count(o.Issuer != "", o.AnyIssuer) != 1 {
		return errors.New("jot: a verifier states exactly one of Issuer and AnyIssuer")
	}
	if count(o.Audience != "", o.AnyAudience, o.NoAudience) != 1 {
		return errors.New("jot: a verifier states exactly one of Audience, AnyAudience and NoAudience")
	}
	if o.Type != "" && o.AnyType {
		return errors.New("jot: a verifier states at most one of Type and AnyType")
	}
	for _, alg := range o.Algorithms {
		if schemeOf(alg) == nil {
			return unknownAlgorithm(alg)
		}
	}
	if o.MaxTTL < 0 || o.Leeway < 0 || o.MaxSize < 0 || o.MaxSize > largestMaxSize {
		return errors.New("jot: MaxTTL, Leeway and MaxSize are not negative, and MaxSize is at most 16 MiB")
	}
	if o.CacheSize < 0 || o.CacheSize > largestCache {
		return errors.New("jot: CacheSize is from 0 to 1<<20")
	}
	return nil
}

func count(stated ...bool) (n int) {
	for _, s := range stated {
		if s {
			n++
		}
	}
	return n
}

// Verify checks a token in compact form and returns it. A refusal is an ErrInvalidToken; ErrUnavailable says that
// the key source or the revocation checker failed. With an error, the token is nil.
func (v *Verifier) Verify(ctx context.Context, raw string) (*Token, error) {
	return v.verifyInto(ctx, raw, nil)
}

// Check does all that Verify does, and answers only whether the token is valid. It doesn't allocate for a valid token
// with a signature that the standard library verifies without, unless it's one to remember (VerifierOptions.CacheSize).
func (v *Verifier) Check(ctx context.Context, raw string) error {
	if len(raw) > v.options.MaxSize {
		return ErrTooLarge
	}
	if token, err := v.recall(ctx, raw); token != nil || err != nil {
		return err
	}
	s := v.borrow()
	defer v.giveBack(s)
	if err := v.verify(ctx, raw, s); err != nil {
		return err
	}
	v.remember(raw, s)
	return nil
}

// Verify checks a token with the verifier and decodes its claims into a T, as Token.Decode does: a *DecodeError is not
// an ErrInvalidToken, for the token is genuine. With an error, the results are zero.
func Verify[T any](ctx context.Context, v *Verifier, raw string) (T, *Token, error) {
	var claims, zero T
	token, err := v.verifyInto(ctx, raw, &claims)
	if err != nil {
		return zero, nil, err
	}
	return claims, token, nil
}

// verifyInto decodes the claims from the scratch, where they have been read already, unless claims is nil.
func (v *Verifier) verifyInto(ctx context.Context, raw string, claims any) (*Token, error) {
	if len(raw) > v.options.MaxSize {
		return nil, ErrTooLarge
	}
	token, err := v.recall(ctx, raw)
	if token != nil && claims != nil {
		err = token.Decode(claims)
	}
	if err != nil {
		return nil, err
	}
	if token != nil {
		return token, nil
	}
	s := v.borrow()
	defer v.giveBack(s)
	if err := v.verify(ctx, raw, s); err != nil {
		return nil, err
	}
	if token = v.remember(raw, s); token == nil {
		token = new(Token)
		s.fill(token)
	}
	if claims != nil {
		if err := s.scanner.Decode(claims); err != nil {
			return nil, decodeError(claims, err)
		}
	}
	return token, nil
}

// scratch is the working memory of one verification.
type scratch struct {
	headerJSON  []byte // decoded
	input       []byte // header.payload, as signed
	signature   []byte
	payload     []byte // decoded, then the texts of the claims, without escapes
	payloadSize int
	scanner     jose.Scanner

	header  *header
	mac     *macState // of the secret key that the token before was tried with last, if with any
	macUsed bool      // for this token
	key     VerificationKey
	claims  claimSet
	foreign error // about a claim that revocation rules go by, of another type than jot's issuer writes: another issuer may mean something else by its name
	facts   RevocationFacts
	verdict Verdict
}

// fill makes t what was verified, in memory of its own.
func (s *scratch) fill(t *Token) {
	t.header, t.key, t.claims, t.refreshAdvised = s.header, s.key, s.claims, s.verdict == RefreshAdvised
	t.buffer, t.payload = string(s.payload), int32(s.payloadSize)
	t.claims.audience = append(t.recipient[:0], s.claims.audience...)
}

// maxPooled bounds the memory that a rare large token leaves behind.
const maxPooled = 64 << 10

func (v *Verifier) borrow() *scratch {
	if s, ok := v.scratches.Get().(*scratch); ok {
		return s
	}
	return new(scratch)
}

func (v *Verifier) giveBack(s *scratch) {
	if cap(s.headerJSON)+cap(s.input)+cap(s.payload) > maxPooled {
		return
	}
	if !s.macUsed {
		s.dropMAC() // or a secret that left the key source would stay in memory for as long as the verifier has work
	}
	s.header, s.macUsed, s.key, s.foreign = nil, false, nil, nil
	if v.options.Revocation != nil {
		s.facts = RevocationFacts{}
	}
	v.scratches.Put(s)
}

// verify leaves what it read in s, of a token that isn't too large. Nothing of the payload is looked at before the
// signature held.
func (v *Verifier) verify(ctx context.Context, raw string, s *scratch) error {
	header, payload, signature, ok := jose.Split(raw)
	if !ok {
		return notCompact(raw)
	}
	remembered := v.headers.find(header)
	if s.header = remembered; remembered == nil {
		var err error
		if s.header, err = readHeader(header, s); err != nil {
			return err
		}
	}
	var err error
	if s.signature, err = jose.AppendDecode(s.signature[:0], signature); err != nil {
		return malformedBy("signature", err)
	}
	s.input = append(s.input[:0], raw[:len(header)+1+len(payload)]...)
	if err := v.verifySignature(ctx, s); err != nil {
		return err
	}
	if remembered == nil {
		s.header = s.header.own(s.headerJSON)
		v.headers.remember(s.header)
	}
	if err := s.readPayload(payload); err != nil {
		return err
	}
	if err := v.checkPolicy(s); err != nil {
		return err
	}
	return v.checkRevocation(ctx, s)
}

func notCompact(raw string) error {
	if strings.Count(raw, ".") == 4 {
		return malformed("compact form", "has five parts, so it's encrypted: package jwe opens it")
	}
	return malformed("compact form", "does not have three parts between two dots (RFC 7515 §3.1)")
}

func (s *scratch) readPayload(encoded string) (err error) {
	if s.payload, err = jose.AppendDecode(s.payload[:0], encoded); err != nil {
		return malformedBy("payload", err)
	}
	s.payloadSize = len(s.payload)
	return s.readClaims()
}

// verifySignature tries the keys that the source has for this header. The algorithm is the key's: a key
// of another one is never tried.
func (v *Verifier) verifySignature(ctx context.Context, s *scratch) error {
	alg := s.header.scheme.name
	if len(v.options.Algorithms) > 0 && !slices.Contains(v.options.Algorithms, alg) {
		return ErrAlgorithm
	}
	keys, err := v.keys.VerificationKeys(ctx, alg, s.header.kid)
	if err != nil {
		return unavailable(err)
	}
	if len(keys) == 0 {
		return ErrUnknownKey
	}
	refusal := ErrAlgorithm
	for _, key := range keys[:min(len(keys), maxCandidates)] {
		if key == nil || key.Algorithm() != alg {
			continue
		}
		if s.signedBy(key) {
			s.key = key
			return nil
		}
		refusal = ErrSignature
	}
	return refusal
}

// signedBy reports whether the signature is that of the key, as its VerifyInput does. The keyed state of a secret key
// stays in the scratch, since the next token is most often of the same key.
func (s *scratch) signedBy(key VerificationKey) bool {
	secret, ok := key.(*SecretKey)
	if !ok {
		return key.VerifyInput(s.input, s.signature)
	}
	if !s.mac.of(secret) {
		s.dropMAC()
		s.mac = secret.borrowMAC()
	}
	s.macUsed = true
	return s.mac.verifies(s.input, s.signature)
}

func (s *scratch) dropMAC() {
	if s.mac != nil {
		s.mac.giveBack()
		s.mac = nil
	}
}
