package revocation

import (
	"crypto/sha256"
	"encoding/binary"
)

// hashDomain keeps the hashes of this log apart from any other use of SHA-256.
const hashDomain = "jot revocation log 1"

// Head is the end of a hash-chained log of rules: two logs with the same head hold the same rules in
// the same order. Heads can be compared with ==.
type Head struct {
	LogID    string   // names the log; a restored or forked log gets another name
	Sequence uint64   // how many rules the log holds; the first one has sequence 1
	Hash     [32]byte // SHA-256 over the rules so far; zero for an empty log
}

// NewLog returns the head of an empty log.
func NewLog(logID string) Head {
	return Head{LogID: logID}
}

// Append returns the head after one more rule. The hash covers the log's ID, the sequence, the hash
// before and every field of the rule, each text with its length in front.
func (h Head) Append(r Rule) Head {
	b := make([]byte, 0, 256)
	b = appendText(b, hashDomain)
	b = appendText(b, h.LogID)
	b = binary.BigEndian.AppendUint64(b, h.Sequence+1)
	b = append(b, h.Hash[:]...)
	b = appendText(b, string(r.Kind))
	b = appendText(b, r.Issuer)
	b = appendText(b, r.Value)
	b = appendText(b, r.Subject)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Minimum))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Expires))
	return Head{LogID: h.LogID, Sequence: h.Sequence + 1, Hash: sha256.Sum256(b)}
}

func appendText(b []byte, text string) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(text)))
	return append(b, text...)
}
