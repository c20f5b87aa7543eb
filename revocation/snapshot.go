package revocation

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jot-auth/jot"
)

// SnapshotType is the media type of a snapshot.
const SnapshotType = "application/vnd.jot.snapshot"

// SnapshotFormat is the version of what Snapshot writes. Readers take no other. So a snapshot's URL names it, or a
// cache that keeps the snapshots of before an upgrade would answer with them after it.
const SnapshotFormat = "2"

// snapshotMagic begins what a snapshot's digest covers, and names the format: nothing else that is signed can pass for
// it.
const snapshotMagic = "jot revocation snapshot " + SnapshotFormat + "\n"

// MaxSnapshot bounds a snapshot, in bytes.
const MaxSnapshot = 512 << 20

// Snapshot gathers the rules that are in force at a head of the log, to be written in one piece. The zero value has
// none.
//
// What it writes begins with the signed statement, on a line of its own. The statement's digest and size cover the
// rest: a line that names the format, the number of rules, and these in groups of one kind, issuer and form of
// identifier. Groups ascend by kind, issuer and form, and no two are equal. Numbers are varints, as Protocol Buffers
// have them. A group is
//
//   - its kind, a byte: 1 jti, 2 sid, 3 sub_gen, 4 sub_soft_gen, 5 sub_iat, 6 client_iat, 7 iss_iat, 8 kid, 9 bare_sid
//   - the form of its identifiers, a byte: 0 text with its length in front, 1 base32 of 26 characters in 17 bytes, 2
//     base64url of 22 characters in 16 bytes, 3 a UUID in 16 bytes, 4 nothing; what fits another form may not be text
//   - its issuer, with its length in front
//   - the number of its rules
//   - the rules. Each is its identifier; of a jti or sid the tag of its subject, 4 bytes, big-endian; the minimum,
//     where the kind has one; and the expiry, where it has one, as the difference to that of the rule before, zigzag
type Snapshot struct {
	groups  map[groupKey]*group
	scratch record
	count   uint64
	size    int
}

// kindCodes are the kinds in the order of their codes, which begin with 1.
var kindCodes = []Kind{TokenID, Session, SubjectGeneration, SubjectSoftGeneration, SubjectIssuedAt, ClientIssuedAt, IssuerIssuedAt, Key, BareSession}

// groupKey is what the rules of a group have in common.
type groupKey struct {
	kind   byte // from 1
	issuer string
	form   form
}

func compareGroups(a, b groupKey) int {
	if a.kind != b.kind {
		return int(a.kind) - int(b.kind)
	}
	if order := strings.Compare(a.issuer, b.issuer); order != 0 {
		return order
	}
	return int(a.form) - int(b.form)
}

// group is the rules of one group, encoded.
type group struct {
	count   uint64
	data    []byte
	expires int64 // of the last one
}

// Add takes one rule in, and keeps nothing of it but its encoding. It returns an error for a rule that doesn't pass
// Validate, and when the snapshot would exceed MaxSnapshot.
func (s *Snapshot) Add(r Rule) error {
	if err := r.Validate(); err != nil {
		return err
	}
	s.scratch.of(r)
	return s.add(&s.scratch)
}

func (s *Snapshot) add(r *record) error {
	key := groupKey{byte(slices.Index(kindCodes, r.kind) + 1), string(r.issuer), formOf(r.value)}
	g := s.groups[key]
	if g == nil {
		if s.groups == nil {
			s.groups = make(map[groupKey]*group)
		}
		g = new(group)
		s.groups[key] = g
	}
	before := len(g.data)
	g.append(key.form, r)
	s.count++
	if s.size += len(g.data) - before; s.size > MaxSnapshot {
		return fmt.Errorf("feed snapshot: larger than %d bytes", MaxSnapshot)
	}
	return nil
}

func (g *group) append(f form, r *record) {
	shape := shapes[r.kind]
	g.data = f.appendPacked(g.data, r.value)
	if shape.subject {
		g.data = binary.BigEndian.AppendUint32(g.data, uint32(r.tag))
	}
	if shape.minimum {
		g.data = binary.AppendUvarint(g.data, uint64(r.minimum))
	}
	if shape.expires {
		g.data = binary.AppendVarint(g.data, r.expires-g.expires)
		g.expires = r.expires
	}
	g.count++
}

// Encode returns the snapshot with the statement, signed. Encode sets the statement's digest, size and nonce. The rules
// have to be those in force at the statement's head.
func (s *Snapshot) Encode(ctx context.Context, signer *jot.Signer, issuer string, statement Statement) ([]byte, error) {
	body := s.body()
	digest := sha256.Sum256(body)
	statement.Nonce, statement.Digest, statement.Size = "", &digest, int64(len(body))
	signed, err := statement.Sign(ctx, signer, issuer)
	if err != nil {
		return nil, err
	}
	return slices.Concat([]byte(signed), []byte{'\n'}, body), nil
}

func (s *Snapshot) body() []byte {
	body := append(make([]byte, 0, s.size+1024), snapshotMagic...)
	body = binary.AppendUvarint(body, s.count)
	for _, key := range slices.SortedFunc(maps.Keys(s.groups), compareGroups) {
		g := s.groups[key]
		body = append(body, key.kind, byte(key.form))
		body = append(binary.AppendUvarint(body, uint64(len(key.issuer))), key.issuer...)
		body = append(binary.AppendUvarint(body, g.count), g.data...)
	}
	return body
}
