package revocation

// writer adds records to a set that its caller holds. What it was given is in the set when end has returned.
type writer struct {
	set   *Set
	rare  *few // a copy with the new ones; nil without any
	batch [32]packedRule
	count int // of the batch
}

// packedRule is a rule as the index has it.
type packedRule struct {
	fingerprint
	limit packedLimit
}

func (w *writer) add(r *record) {
	s := w.set
	l, fits := r.pack()
	if !fits {
		if w.rare == nil {
			w.rare = s.few.Load().copy()
		}
		w.rare.add(r)
		return
	}
	s.noteKind(r.packed)
	w.batch[w.count] = packedRule{fingerprintOf(s.salt.ownerOf(r.tag), s.salt.scope(r.issuer), r.packed, s.salt.hash(r.value)), l}
	if w.count++; w.count == len(w.batch) {
		w.flush()
	}
}

// noteKind says that there are rules of a kind. Only the one writer does.
func (s *Set) noteKind(k packedKind) {
	if kinds := s.kinds.Load(); kinds&k.bit() == 0 {
		s.kinds.Store(kinds | k.bit())
	}
}

// flush puts the batch into the index. It touches all their places first: a large table is in no cache, and so the
// processor waits for many at once.
func (w *writer) flush() {
	w.set.reserve(w.count)
	i, batch, touched := w.set.index.Load(), w.batch[:w.count], uint64(0)
	for n := range batch {
		touched ^= i.near(batch[n].fingerprint)
	}
	_ = touched
	for n := range batch {
		i.put(batch[n].fingerprint, batch[n].limit)
	}
	w.count = 0
}

func (w *writer) end() {
	w.flush()
	if w.rare != nil {
		w.set.few.Store(w.rare)
		w.set.noteKind(rare)
	}
}
