package revocation

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// tag stands for a subject where its name takes too much room: of the subject of a jti or a sid, the set and the
// snapshot know no more. That is enough: an issuer gives no ID twice, and whoever bears one of another subject is
// refused only if both have the same tag, too. Anybody can find subjects with the same tag, which costs a look into the
// table.
type tag uint32

// tagBlock is how many bytes of a subject a tag takes in at a time.
const tagBlock = 16

// tagOf is the same in every process, for snapshots bear tags. It folds the length with each block, and at last with
// the final one, which may overlap the one before; of less than a block, zeros fill the rest.
func tagOf(subject []byte) tag {
	h, rest := uint64(len(subject)), subject
	if len(subject) < tagBlock {
		first := min(len(subject), tagBlock/2)
		return tag(fold(h^padded(subject[:first]), padded(subject[first:])) >> 32)
	}
	for ; len(rest) > tagBlock; rest = rest[tagBlock:] {
		h = foldBlock(h, rest)
	}
	return tag(foldBlock(h, subject[len(subject)-tagBlock:]) >> 32)
}

func foldBlock(h uint64, block []byte) uint64 {
	return fold(h^binary.LittleEndian.Uint64(block), binary.LittleEndian.Uint64(block[8:]))
}

// padded is binary.LittleEndian.Uint64 of eight bytes or less, with zeros for the rest.
func padded(short []byte) (h uint64) {
	for n := len(short) - 1; n >= 0; n-- {
		h = h<<8 | uint64(short[n])
	}
	return h
}

// fingerprint stands for what a rule is about, under a salt that nobody knows: the first half for the tag of the
// subject, or of the session without one, the second for the issuer, the kind and the value. No two things have the
// same, by accident or intent.
type fingerprint struct{ owner, matter uint64 }

// salt makes the fingerprints of one set, in one process.
type salt struct {
	owner         uint64
	issuer, value maphash.Seed
}

func newSalt() *salt {
	return &salt{owner: maphash.String(maphash.MakeSeed(), "owner"), issuer: maphash.MakeSeed(), value: maphash.MakeSeed()}
}

// ownerOf is the first half: never 0, which marks a place that is free, for a bit that the filter doesn't use is set.
// It's all that most tokens cost, and so leaves the issuer out: a subject of the same name elsewhere costs a look into
// the table.
func (s *salt) ownerOf(t tag) uint64 { return fold(uint64(t), s.owner) | 1<<32 }

// scope is what all rules of an issuer have in common.
func (s *salt) scope(issuer []byte) uint64 { return maphash.Bytes(s.issuer, issuer) }

func (s *salt) hash(value []byte) uint64 { return maphash.Bytes(s.value, value) }

// fingerprintOf is that of a rule of a kind with the value of this hash, about the owner.
func fingerprintOf(owner, scope uint64, kind packedKind, value uint64) fingerprint {
	return fingerprint{owner, fold(fold(scope, uint64(kind)), value)}
}

// fold multiplies so that each bit of the result depends on all of both factors.
func fold(x, y uint64) uint64 {
	high, low := bits.Mul64(x^0x9e3779b97f4a7c15, y^0xd1b54a32d192ed03)
	return high ^ low
}

// packedKind is a kind of rule that names a subject, or a session alone, or rare.
type packedKind uint64

const (
	packedTokenID packedKind = iota + 1
	packedSession
	packedSubjectGeneration
	packedSubjectSoftGeneration
	packedSubjectIssuedAt
	packedBareSession
	rare // what few holds, of whatever kind
)

// beyondSubjects are the kinds of rules that may refuse a token of whose subject the filter knows nothing.
const beyondSubjects = 1<<packedBareSession | 1<<rare

// bit is that of the kind among kinds.
func (k packedKind) bit() uint64 { return 1 << k }

var packedKinds = map[Kind]packedKind{
	TokenID: packedTokenID, Session: packedSession, SubjectGeneration: packedSubjectGeneration,
	SubjectSoftGeneration: packedSubjectSoftGeneration, SubjectIssuedAt: packedSubjectIssuedAt,
	BareSession: packedBareSession,
}
