package revocation

import (
	"math"
	"math/bits"
	"sync/atomic"
)

// index holds the rules that name a subject, or a session alone: a filter of these, before a table of the rules. One
// writer at a time changes it, while any number of readers look: an entry is whole before they can find it. What they
// may look at while it's written is written atomically; the writer itself reads as it likes, and nobody looks at an
// index that isn't published yet.
type index struct {
	filter filter
	table  []entry

	used, live int // entries, and those among them that hold a rule; the writer's alone
}

// entry is a place of the table. It's taken for good: a rule that expired leaves its fingerprint behind.
type entry struct {
	fingerprint        // its owner is 0 while the place is free, and is written last: who finds it, finds the rest
	limit       uint64 // a packedLimit
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
		if e := &i.table[n]; e.limit != 0 {
			*fresh.place(e.fingerprint) = *e
			fresh.filter.addUnseen(e.owner)
			fresh.used++
		}
	}
	fresh.live = fresh.used
	return fresh
}

// put merges a rule.
func (i *index) put(f fingerprint, l packedLimit) {
	e := i.place(f)
	before := packedLimit(e.limit)
	if before == 0 {
		i.live++
	}
	if e.owner != 0 {
		atomic.StoreUint64(&e.limit, uint64(before.merge(l)))
	} else {
		e.matter, e.limit = f.matter, uint64(l)
		atomic.StoreUint64(&e.owner, f.owner) // now readers find it
		i.used++
	}
	i.filter.add(f.owner)
}

// near touches the places of a fingerprint, so that they are on their way to the processor when it comes to them.
func (i *index) near(f fingerprint) uint64 {
	word, _ := i.filter.word(f.owner)
	return i.table[i.home(f)].owner ^ *word
}

// place returns, to the writer, the entry of a fingerprint, or the free one where it would stand. There always is a
// free one.
func (i *index) place(f fingerprint) *entry {
	for n := i.home(f); ; n = i.next(n) {
		if e := &i.table[n]; e.owner == 0 || e.fingerprint == f {
			return e
		}
	}
}

// limit returns that of a rule, 0 if there is none.
func (i *index) limit(f fingerprint) packedLimit {
	for n := i.home(f); ; n = i.next(n) {
		e := &i.table[n]
		switch owner := atomic.LoadUint64(&e.owner); {
		case owner == 0:
			return 0
		case owner == f.owner && e.matter == f.matter:
			return packedLimit(atomic.LoadUint64(&e.limit))
		}
	}
}

// home is the first place for a fingerprint, and next the one after another.
func (i *index) home(f fingerprint) int {
	high, _ := bits.Mul64(f.matter, uint64(len(i.table)))
	return int(high)
}

func (i *index) next(n int) int {
	if n++; n == len(i.table) {
		return 0
	}
	return n
}

// sweep drops the rules that have expired.
func (i *index) sweep(now int64) {
	for n := range i.table {
		if l := packedLimit(i.table[n].limit); l != 0 && l.expires() < now {
			atomic.StoreUint64(&i.table[n].limit, 0)
			i.live--
		}
	}
}
