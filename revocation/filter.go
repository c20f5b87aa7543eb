package revocation

import (
	"math/bits"
	"sync/atomic"
)

// filter tells which subjects may have rules. It is a Bloom filter in blocks of a register: each subject has four bits
// of one word, so that a look costs one access to memory. Of subjects without rules it takes one in fifty for others.
type filter []uint64

// bitsPerEntry is how many bits of the filter there are for each entry of the table.
const bitsPerEntry = 10

func newFilter(entries int) filter { return make(filter, entries*bitsPerEntry/64+1) }

// word is where a subject's bits are: the highest bits of its hash choose it, the lowest ones those in it.
func (f filter) word(owner uint64) (*uint64, uint64) {
	n, _ := bits.Mul64(owner, uint64(len(f)))
	return &f[n], 1<<(owner&63) | 1<<(owner>>6&63) | 1<<(owner>>12&63) | 1<<(owner>>18&63)
}

// add is for the one writer.
func (f filter) add(owner uint64) {
	if word, mask := f.word(owner); *word&mask != mask {
		atomic.StoreUint64(word, *word|mask)
	}
}

// addUnseen is add while nobody looks.
func (f filter) addUnseen(owner uint64) {
	word, mask := f.word(owner)
	*word |= mask
}

func (f filter) has(owner uint64) bool {
	word, mask := f.word(owner)
	return atomic.LoadUint64(word)&mask == mask
}
