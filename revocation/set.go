package revocation

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot"
)

// Set holds the rules that are in force and answers which tokens they refuse. Rules of one kind about
// the same thing merge into the strictest of them, so the order in which rules arrive and how often
// they do never matters. It is safe for concurrent use: readers take no lock and never wait, whatever is written.
// NewSet makes it: the methods of the zero value panic, for a question about every token has no nanosecond to spare.
//
// Of most rules it keeps a fingerprint only, salted for this set, in 32 bytes or less where many were applied at once,
// and at most 64. A token whose subject no rule names costs one look into a filter.
type Set struct {
	writing sync.Mutex // is held by who changes the set
	index   atomic.Pointer[index]
	few     atomic.Pointer[few]
	salt    *salt
	kinds   atomic.Uint64 // the packedKinds, as bits, of which there is or was a rule
}

// NewSet returns a set without rules.
func NewSet() *Set {
	s := &Set{salt: newSalt()}
	s.index.Store(newIndex(0))
	s.few.Store(new(few))
	return s
}

// Apply adds the rules. It leaves out those that don't pass Validate and returns the first such error.
func (s *Set) Apply(rules ...Rule) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	var failed error
	var about record
	w := writer{set: s}
	s.reserve(len(rules))
	for _, r := range rules {
		if err := r.Validate(); err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		about.of(r)
		w.add(&about)
	}
	w.end()
	return failed
}

// reserve makes room for more entries. Readers go on with the old index until the new one has everything.
func (s *Set) reserve(more int) {
	if i := s.index.Load(); i.used+more > i.capacity() {
		s.index.Store(i.rebuilt(max(i.live+more, i.live+i.live/2)))
	}
}

// Verdict returns the strictest answer of the rules that match the token, and jot.Current when none
// does. It doesn't allocate.
func (s *Set) Verdict(f *jot.RevocationFacts) jot.Verdict {
	subject := tagOf(f.Subject)
	i, owner := s.index.Load(), s.salt.ownerOf(subject)
	if !i.filter.has(owner) && s.kinds.Load()&beyondSubjects == 0 {
		return jot.Current
	}
	return s.examine(i, subject, f)
}

// examine asks all rules.
func (s *Set) examine(i *index, subject tag, f *jot.RevocationFacts) jot.Verdict {
	verdict, kinds := jot.Current, s.kinds.Load()
	if kinds&rare.bit() != 0 {
		verdict = s.few.Load().verdict(f, subject)
	}
	if owner := s.salt.ownerOf(subject); i.filter.has(owner) {
		verdict = min(verdict, s.indexed(i, owner, f))
	}
	if kinds&packedBareSession.bit() != 0 && len(f.SessionID) > 0 && s.hasBareSession(i, f) {
		return jot.Revoked
	}
	return verdict
}

// indexed asks every kind of rule about the subject.
func (s *Set) indexed(i *index, owner uint64, f *jot.RevocationFacts) jot.Verdict {
	kinds, scope := s.kinds.Load(), s.salt.scope(f.Issuer)
	about := func(kind packedKind, value []byte) packedLimit {
		if kinds&kind.bit() == 0 || len(value) == 0 {
			return 0
		}
		return i.limit(fingerprintOf(owner, scope, kind, s.salt.hash(value)))
	}
	issued := about(packedSubjectIssuedAt, f.Subject).minimum()
	switch {
	case about(packedSession, f.SessionID) != 0, about(packedTokenID, f.ID) != 0,
		issued > 0 && (!f.HasIssuedAt || f.IssuedAt < issued):
		return jot.Revoked
	case f.Generation < uint64(about(packedSubjectGeneration, f.Subject).minimum()):
		return jot.StaleClaims
	case f.Generation < uint64(about(packedSubjectSoftGeneration, f.Subject).minimum()):
		return jot.RefreshAdvised
	}
	return jot.Current
}

// hasBareSession looks for the token's session where one without a subject stands: under the tag of its own ID.
func (s *Set) hasBareSession(i *index, f *jot.RevocationFacts) bool {
	owner := s.salt.ownerOf(tagOf(f.SessionID))
	return i.filter.has(owner) && i.limit(fingerprintOf(owner, s.salt.scope(f.Issuer), packedBareSession, s.salt.hash(f.SessionID))) != 0
}

// Sweep drops the rules that have expired at the given time.
func (s *Set) Sweep(now time.Time) {
	s.writing.Lock()
	defer s.writing.Unlock()
	i := s.index.Load()
	i.sweep(now.Unix())
	if dead := i.used - i.live; dead > i.live/2+minCapacity {
		s.index.Store(i.rebuilt(i.live + i.live/4))
	}
	s.few.Store(s.few.Load().without(now.Unix()))
}

// Len returns the number of merged rules.
func (s *Set) Len() int {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.index.Load().live + len(s.few.Load().limits)
}

// revokedKeys are the rules about keys, which never expire.
func (s *Set) revokedKeys() []Rule { return s.few.Load().keys() }

// refusesUpTo is the time before which every token of an issuer was issued too early; 0 when none was.
func (s *Set) refusesUpTo(issuer string) int64 { return s.few.Load().refusesUpTo(issuer) }
