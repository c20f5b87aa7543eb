package revocation

import (
	"math/bits"
	"sync/atomic"
)

// filter tells which subjects may have rules. It is a Bloom filter in blocks of a register: each subject has four bits of one word, so that a look
// costs one access to memory. Of subjects without rules it takes a few in a thousand for others.
type filter []atomic.Uint64

// bitsPerEntry is how many bits of the filter there are for each entry of the table.
const bitsPerEntry = 13

func newFilter(entries int) filter { return make(filter, entries*bitsPerEntry/64+1) }

func (f filter) word(owner uint64) (*atomic.Uint64, uint64) {
	high, low := bits.Mul64(owner, uint64(len(f)))
	low = fold(low, owner)
	return &f[high], 1<<(low&63) | 1<<(low>>6&63) | 1<<(low>>12&63) | 1<<(low>>18&63)
}

func (f filter) add(owner uint64) {
	word, mask := f.word(owner)
	word.Or(mask)
}

func (f filter) has(owner uint64) bool {
	word, mask := f.word(owner)
	return word.Load()&mask == mask
}
