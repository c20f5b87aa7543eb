package revocation

import (
	"encoding/hex"
	"testing"
)

func TestHeadCoversEverything(t *testing.T) {
	base := Rule{Kind: Session, Issuer: "i", Value: "v", Subject: "s", Expires: 1}
	log := NewLog("log")
	heads := map[[32]byte]string{log.Hash: "empty"}
	for name, h := range map[string]Head{
		"base":           log.Append(base),
		"other log":      NewLog("other").Append(base),
		"kind":           log.Append(Rule{Kind: TokenID, Issuer: "i", Value: "v", Subject: "s", Expires: 1}),
		"issuer":         log.Append(Rule{Kind: Session, Issuer: "j", Value: "v", Subject: "s", Expires: 1}),
		"value":          log.Append(Rule{Kind: Session, Issuer: "i", Value: "w", Subject: "s", Expires: 1}),
		"subject":        log.Append(Rule{Kind: Session, Issuer: "i", Value: "v", Subject: "t", Expires: 1}),
		"expires":        log.Append(Rule{Kind: Session, Issuer: "i", Value: "v", Subject: "s", Expires: 2}),
		"minimum":        log.Append(Rule{Kind: Session, Issuer: "i", Value: "v", Subject: "s", Minimum: 1}),
		"moved boundary": log.Append(Rule{Kind: Session, Issuer: "i", Value: "vs", Subject: "", Expires: 1}),
		"later":          Head{LogID: "log", Sequence: 1}.Append(base),
		"twice":          log.Append(base).Append(base),
	} {
		if before, known := heads[h.Hash]; known {
			t.Errorf("%s has the hash of %s", name, before)
		}
		heads[h.Hash] = name
	}
}

// Verifiers and issuers of different versions have to agree on the hash.
func TestHeadIsStable(t *testing.T) {
	h := NewLog("log").Append(Rule{Kind: Session, Issuer: "https://auth.example.com", Value: "sid", Subject: "sub", Expires: 1_700_000_000})
	const want = "f3e78ae37e47b71324b7cbaf0432b6609135caa53ce4d91bceb8837953b41ca3"
	if got := hex.EncodeToString(h.Hash[:]); got != want || h.Sequence != 1 || h.LogID != "log" {
		t.Errorf("%s at %d of %s, want %s", got, h.Sequence, h.LogID, want)
	}
}
