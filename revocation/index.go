package revocation

import (
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/jot-auth/jot"
)

// index holds the rules that name a subject, or a session alone: a filter of these, before a table of the rules. One writer at a time changes it, while any
// number of readers look: an entry is whole before they can find it.
type index struct {
	filter filter
	table  []entry

	used, live int // entries, and those among them that hold a rule; the writer's alone
}

// entry is a place of the table. It's taken for good: a rule that expired leaves its fingerprint behind.
type entry struct {
	owner, matter atomic.Uint64 // the fingerprint; owner is 0 while the place is free
	limit         atomic.Uint64 // a packedLimit
}

// packedLimit is a minimum above an expiry, 32 bits each; 0 where there is no rule any more.
type packedLimit uint64

func (l packedLimit) minimum() int64 { return int64(l >> 32) }
func (l packedLimit) expires() int64 { return int64(uint32(l)) }

func (l packedLimit) merge(m packedLimit) packedLimit {
	return max(l>>32, m>>32)<<32 | max(l&math.MaxUint32, m&math.MaxUint32)
}

// pack returns the limit of a rule that the index can hold: one of a packedKind that has numbers of today.
func (r *record) pack() (packedLimit, bool) {
	if r.packed == 0 || r.minimum > math.MaxUint32 || r.expires > math.MaxUint32 {
		return 0, false
	}
	return packedLimit(r.minimum)<<32 | packedLimit(r.expires), true
}

// minCapacity is how many entries the smallest index holds.
const minCapacity = 64

// newIndex makes an index for a number of entries.
func newIndex(entries int) *index {
	entries = max(entries, minCapacity)
	places := entries + (entries+3)/4 + 1
	return &index{filter: newFilter(entries), table: make([]entry, places)}
}

// capacity is how many entries fit before probing gets long: at least those that the index was made for.
func (i *index) capacity() int { return (len(i.table) - 1) * 4 / 5 }

// rebuilt returns an index for a number of entries, with the rules of this one.
func (i *index) rebuilt(entries int) *index {
	fresh := newIndex(entries)
	for n := range i.table {
		e := &i.table[n]
		if l := packedLimit(e.limit.Load()); l != 0 {
			fresh.put(fingerprint{e.owner.Load(), e.matter.Load()}, l)
		}
	}
	return fresh
}

// put merges a rule.
func (i *index) put(f fingerprint, l packedLimit) {
	e := i.place(f)
	if e.owner.Load() == 0 {
		e.limit.Store(uint64(l))
		e.matter.Store(f.matter)
		e.owner.Store(f.owner) // now readers find it
		i.used++
		i.live++
	} else {
		before := packedLimit(e.limit.Load())
		if before == 0 {
			i.live++
		}
		e.limit.Store(uint64(before.merge(l)))
	}
	i.filter.add(f.owner)
}

// near touches the places of a fingerprint, so that they are on their way to the processor when it comes to them.
func (i *index) near(f fingerprint) uint64 {
	high, _ := bits.Mul64(f.matter, uint64(len(i.table)))
	word, _ := i.filter.word(f.owner)
	return i.table[high].owner.Load() ^ word.Load()
}

// place returns the entry of a fingerprint, or the free one where it would stand. There always is a free one.
func (i *index) place(f fingerprint) *entry {
	high, _ := bits.Mul64(f.matter, uint64(len(i.table)))
	for n := int(high); ; n++ {
		if n == len(i.table) {
			n = 0
		}
		e := &i.table[n]
		if owner := e.owner.Load(); owner == 0 || owner == f.owner && e.matter.Load() == f.matter {
			return e
		}
	}
}

// limit returns that of a rule, 0 if there is none.
func (i *index) limit(f fingerprint) packedLimit {
	e := i.place(f)
	if e.owner.Load() == 0 {
		return 0
	}
	return packedLimit(e.limit.Load())
}

// verdict asks every kind of rule about the subject.
func (i *index) verdict(s *salt, owner uint64, f *jot.RevocationFacts) jot.Verdict {
	scope, subject := s.scope(f.Issuer), s.hash(f.Subject)
	about := func(kind packedKind, value uint64) packedLimit {
		return i.limit(fingerprintOf(owner, scope, kind, value))
	}
	issued := about(packedSubjectIssuedAt, subject).minimum()
	switch {
	case len(f.SessionID) > 0 && about(packedSession, s.hash(f.SessionID)) != 0,
		len(f.ID) > 0 && about(packedTokenID, s.hash(f.ID)) != 0,
		issued > 0 && (!f.HasIssuedAt || f.IssuedAt < issued):
		return jot.Revoked
	case f.Generation < uint64(about(packedSubjectGeneration, subject).minimum()):
		return jot.StaleClaims
	case f.Generation < uint64(about(packedSubjectSoftGeneration, subject).minimum()):
		return jot.RefreshAdvised
	}
	return jot.Current
}

// sweep drops the rules that have expired.
func (i *index) sweep(now int64) {
	for n := range i.table {
		if l := packedLimit(i.table[n].limit.Load()); l != 0 && l.expires() < now {
			i.table[n].limit.Store(0)
			i.live--
		}
	}
}
