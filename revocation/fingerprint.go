package revocation

import (
	"hash/maphash"
	"math/bits"
)

// fingerprint stands for what a rule is about, under a salt that nobody knows: the first half for the subject, the second for the issuer, the kind
// and the value too. With 128 bits no two things have the same.
type fingerprint struct{ owner, matter uint64 }

// salt makes the fingerprints of one set, in one process.
type salt struct{ owner, issuer, subject, value maphash.Seed }

func newSalt() *salt {
	return &salt{owner: maphash.MakeSeed(), issuer: maphash.MakeSeed(), subject: maphash.MakeSeed(), value: maphash.MakeSeed()}
}

// ownerOf is the first half: never 0, which marks a place that is free. It's all that most tokens cost, and so leaves the issuer out: a subject of
// the same name elsewhere costs a look into the table.
func (s *salt) ownerOf(subject []byte) uint64 { return max(1, maphash.Bytes(s.owner, subject)) }

// matters makes the second halves for one subject.
type matters struct {
	salt  *salt
	owner uint64
	base  uint64
}

func (s *salt) mattersOf(owner uint64, issuer, subject []byte) matters {
	return matters{s, owner, fold(maphash.Bytes(s.subject, subject), maphash.Bytes(s.issuer, issuer))}
}

// of is the fingerprint of what a rule of a kind says; value is empty where the kind has none beside the subject.
func (m matters) of(kind packedKind, value []byte) fingerprint {
	matter := fold(m.base, uint64(kind))
	if len(value) > 0 {
		matter = fold(matter, maphash.Bytes(m.salt.value, value))
	}
	return fingerprint{m.owner, matter}
}

// fold multiplies so that each bit of the result depends on all of both factors.
func fold(x, y uint64) uint64 {
	high, low := bits.Mul64(x^0x9e3779b97f4a7c15, y^0xd1b54a32d192ed03)
	return high ^ low
}

// packedKind is a kind of rule that names a subject.
type packedKind uint64

const (
	packedTokenID packedKind = iota + 1
	packedSession
	packedSubjectGeneration
	packedSubjectSoftGeneration
	packedSubjectIssuedAt
)

var packedKinds = map[Kind]packedKind{
	TokenID: packedTokenID, Session: packedSession, SubjectGeneration: packedSubjectGeneration,
	SubjectSoftGeneration: packedSubjectSoftGeneration, SubjectIssuedAt: packedSubjectIssuedAt,
}

// fingerprintOf is that of a rule of a packedKind.
func (s *salt) fingerprintOf(r Rule) fingerprint {
	issuer, subject, value := []byte(r.Issuer), []byte(r.Subject), []byte(r.Value)
	if len(subject) == 0 {
		subject, value = value, nil
	}
	owner := s.ownerOf(subject)
	return s.mattersOf(owner, issuer, subject).of(packedKinds[r.Kind], value)
}
