package jot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jot-auth/jot/internal/jose"
)

const (
	maxCandidates = 4 // keys tried for one token
	maxKeys       = 128
	maxKeySetSize = 512 << 10
)

// KeySource finds the keys that may have signed a token. kid is the header's key ID, empty where it names none. The
// verifier tries the first 4 keys of the answer and no more; none means that the token is refused with ErrUnknownKey.
// The verifier uses only keys of the token's algorithm: a source may answer keys of another one, for then the refusal
// is the more exact ErrAlgorithm.
//
// An error means that the source failed, not the token: the verifier wraps it in ErrUnavailable.
// The answer may be shared: whoever calls VerificationKeys doesn't alter it.
type KeySource interface {
	VerificationKeys(ctx context.Context, alg Algorithm, kid string) ([]VerificationKey, error)
}

// KeySet is an immutable set of public keys. It takes no others, so that publishing a secret doesn't compile.
type KeySet struct {
	keys    []*PublicKey
	skipped []SkippedKey
	index   keyIndex
}

// SkippedKey is a key of a JWK Set that ParseKeySet or ParseSecretKeySet could not use.
type SkippedKey struct {
	// Position counts from 0 within "keys".
	Position int
	// Reason says why it was left out.
	Reason string
}

// SecretKeySet is an immutable set of HMAC keys, so that they can be rotated. It can't be published.
type SecretKeySet struct {
	keys    []*SecretKey
	skipped []SkippedKey
	index   keyIndex
}

// NewKeySet makes a set of public keys. Nil keys and zero values are left out. Of the keys that were made without a key
// ID, a token that bears a key ID of its own is tried with the first 4 of its algorithm: name the keys where there are
// more.
func NewKeySet(keys ...*PublicKey) *KeySet {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k *PublicKey) bool { return !k.usable() })
	return &KeySet{keys: keys, index: indexKeys(keys)}
}

// NewSecretKeySet makes a set of HMAC keys. Nil keys and zero values are left out. Of the keys without a key ID, a
// token is tried with the first 4 of its algorithm: name the keys where there are more.
func NewSecretKeySet(keys ...*SecretKey) *SecretKeySet {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k *SecretKey) bool { return !k.usable() })
	return &SecretKeySet{keys: keys, index: indexKeys(keys)}
}

// ParseKeySet reads a JWK Set (RFC 7517 §5) of at most 128 keys. A key that can't be used, because its type or
// algorithm is unknown, it's broken, or it holds private material, is skipped and listed in Skipped; the set works for
// its good keys. So is the fifth key of an algorithm that doesn't name itself, or that has the name of the four before:
// tokens would never be tried with it.
func ParseKeySet(data []byte, o ParseOptions) (*KeySet, error) {
	keys, skipped, err := parseSet(data, o, ParsePublicKey)
	if err != nil {
		return nil, err
	}
	return &KeySet{keys, skipped, indexKeys(keys)}, nil
}

// ParseSecretKeySet reads the HMAC keys of a JWK Set of at most 128 keys, like ParseKeySet. Keys of other types are
// skipped.
func ParseSecretKeySet(data []byte, o ParseOptions) (*SecretKeySet, error) {
	keys, skipped, err := parseSet(data, o, ParseSecretKey)
	if err != nil {
		return nil, err
	}
	return &SecretKeySet{keys, skipped, indexKeys(keys)}, nil
}

// parseSet is how a set is read whatever its keys are. Every key stands by itself: what is wrong with one says nothing
// of the others.
func parseSet[K VerificationKey](data []byte, o ParseOptions, parse func([]byte, ParseOptions) (K, error)) (keys []K, skipped []SkippedKey, _ error) {
	if len(data) > maxKeySetSize {
		return nil, nil, fmt.Errorf("jot: a JWK Set has at most %d bytes", maxKeySetSize)
	}
	if o.KeyID != "" {
		return nil, nil, errors.New("jot: the KeyID of ParseOptions is for one key, not for a set")
	}
	var document struct {
		Keys *[]json.RawMessage `json:"keys"`
	}
	if err := jose.Unmarshal(data, &document); err != nil {
		return nil, nil, fmt.Errorf("jot: not a JWK Set: %w", err)
	}
	if document.Keys == nil || len(*document.Keys) > maxKeys {
		return nil, nil, fmt.Errorf(`jot: a JWK Set has a member "keys", an array of at most %d keys`, maxKeys)
	}
	found := namesakes{}
	for position, raw := range *document.Keys {
		key, err := parse(raw, o)
		if err == nil {
			err = found.add(key)
		}
		if err != nil {
			skipped = append(skipped, SkippedKey{position, err.Error()})
			continue
		}
		keys = append(keys, key)
	}
	return keys, skipped, nil
}

// namesakes counts the keys that no token tells apart: those of one algorithm with one key ID, or with none.
type namesakes map[keyName]int

type keyName struct {
	algorithm Algorithm
	id        string // empty where the key doesn't name itself
}

// add counts a key, and refuses one that no token would be tried with.
func (n namesakes) add(key VerificationKey) error {
	shared, refusal := keyName{key.Algorithm(), key.KeyID()}, errNamesakes
	if !key.named() {
		shared.id, refusal = "", errUnnamed
	}
	if n[shared]++; n[shared] > maxCandidates {
		return refusal
	}
	return nil
}

var (
	errUnnamed   = fmt.Errorf("jot: more than %d keys of this algorithm have no key ID: give each one", maxCandidates)
	errNamesakes = fmt.Errorf("jot: more than %d keys of this algorithm have this key ID: give each its own", maxCandidates)
)

// Keys returns the keys of the set, in order.
func (s *KeySet) Keys() []*PublicKey {
	if s == nil {
		return nil
	}
	return slices.Clone(s.keys)
}

// Skipped returns what ParseKeySet could not use.
func (s *KeySet) Skipped() []SkippedKey {
	if s == nil {
		return nil
	}
	return slices.Clone(s.skipped)
}

// Keys returns the keys of the set, in order.
func (s *SecretKeySet) Keys() []*SecretKey {
	if s == nil {
		return nil
	}
	return slices.Clone(s.keys)
}

// Skipped returns what ParseSecretKeySet could not use.
func (s *SecretKeySet) Skipped() []SkippedKey {
	if s == nil {
		return nil
	}
	return slices.Clone(s.skipped)
}

// UnmarshalJSON is ParseKeySet, for sets whose keys name their algorithms. It fills an empty variable: a set that was
// made before is refused, for verifiers may hold on to it.
func (s *KeySet) UnmarshalJSON(data []byte) error {
	if s.index.byID != nil {
		return errFilled
	}
	parsed, err := ParseKeySet(data, ParseOptions{})
	if err == nil {
		*s = *parsed
	}
	return err
}

// MarshalJSON writes the JWK Set (RFC 7517 §5).
func (s KeySet) MarshalJSON() ([]byte, error) {
	document := struct {
		Keys []*PublicKey `json:"keys"`
	}{s.keys}
	if document.Keys == nil {
		document.Keys = []*PublicKey{}
	}
	return json.Marshal(document)
}

// VerificationKeys implements KeySource. It never fails; a nil set answers no keys.
func (s *KeySet) VerificationKeys(_ context.Context, alg Algorithm, kid string) ([]VerificationKey, error) {
	if s == nil {
		return nil, nil
	}
	return s.index.find(alg, kid), nil
}

// VerificationKeys implements KeySource. It never fails; a nil set answers no keys.
func (s *SecretKeySet) VerificationKeys(_ context.Context, alg Algorithm, kid string) ([]VerificationKey, error) {
	if s == nil {
		return nil, nil
	}
	return s.index.find(alg, kid), nil
}

// keyIndex answers look-ups without allocating.
type keyIndex struct {
	byID        map[string][]alike // of one key ID; several keys may share it across algorithms (RFC 7517 §4.5)
	byAlgorithm map[Algorithm][]VerificationKey
	unnamed     map[Algorithm][]VerificationKey // keys that no one gave an ID: a token's may be theirs
	first       []VerificationKey               // of any algorithm: they make a refusal exact
}

// alike are keys of one algorithm.
type alike struct {
	algorithm Algorithm
	keys      []VerificationKey
}

func indexKeys[K VerificationKey](keys []K) keyIndex {
	index := keyIndex{map[string][]alike{}, map[Algorithm][]VerificationKey{}, map[Algorithm][]VerificationKey{}, nil}
	for _, key := range keys {
		index.byID[key.KeyID()] = addAlike(index.byID[key.KeyID()], key)
		index.byAlgorithm[key.Algorithm()] = append(index.byAlgorithm[key.Algorithm()], key)
		if !key.named() {
			index.unnamed[key.Algorithm()] = append(index.unnamed[key.Algorithm()], key)
		}
		if len(index.first) < maxCandidates {
			index.first = append(index.first, key)
		}
	}
	return index
}

func addAlike(groups []alike, key VerificationKey) []alike {
	for i := range groups {
		if groups[i].algorithm == key.Algorithm() {
			groups[i].keys = append(groups[i].keys, key)
			return groups
		}
	}
	return append(groups, alike{key.Algorithm(), []VerificationKey{key}})
}

// find returns the keys for a header, clipped, so that whoever appends to them gets a copy.
func (x *keyIndex) find(alg Algorithm, kid string) []VerificationKey {
	return slices.Clip(x.shared(alg, kid))
}

func (x *keyIndex) shared(alg Algorithm, kid string) []VerificationKey {
	if kid == "" {
		if keys := x.byAlgorithm[alg]; len(keys) > 0 {
			return keys
		}
		return x.first
	}
	sharing := x.byID[kid]
	for i := range sharing {
		if sharing[i].algorithm == alg {
			return sharing[i].keys
		}
	}
	if keys := x.unnamed[alg]; len(keys) > 0 || len(sharing) == 0 {
		return keys
	}
	return sharing[0].keys
}
