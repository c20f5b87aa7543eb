package revocation

import (
	"errors"
	"fmt"
	"time"
)

// history remembers how far the logs had come, so that a feed can't take anything back.
type history struct {
	high    Head
	seen    Statement       // the last one that was proven fresh; zero before
	set     *Set            // the rules at that time
	retired map[string]bool // logs that another one replaced
}

// checkSnapshot refuses the head of a snapshot that contradicts an earlier one. It may be older: what follows has to
// lead past that one.
func (h *history) checkSnapshot(to Head) error {
	if to.LogID == h.high.LogID && to.Sequence < h.high.Sequence {
		return nil
	}
	return h.check(to)
}

// check refuses a head that contradicts an earlier one.
func (h *history) check(to Head) error {
	switch {
	case h.retired[to.LogID]:
		return errors.New("feed: a log that was replaced came back")
	case to.LogID != h.high.LogID:
		return nil
	case to.Sequence < h.high.Sequence:
		return fmt.Errorf("feed: the log was rolled back from %d to %d", h.high.Sequence, to.Sequence)
	case to.Sequence == h.high.Sequence && to.Hash != h.high.Hash:
		return fmt.Errorf("feed: the log forked at or before %d", to.Sequence)
	}
	return nil
}

// checkRules refuses the rules of another log when they take back what the one before had refused. Nobody can tell
// which of its rules are lost with it, so the new one has to refuse every token that was issued while the old one was
// in force, unless none of those can be alive any more.
func (h *history) checkRules(s Statement, issuer string, maxTTL time.Duration, rules *Set) error {
	before := h.seen
	if before.LogID == "" || before.LogID == s.LogID || s.Time.Sub(before.Time) > max(before.MaxTTL, maxTTL)+skew {
		return nil
	}
	if rules.refusesUpTo(issuer) <= before.Time.Unix() {
		return fmt.Errorf("feed: the log is another one, and accepts tokens of %s that the one before may have refused: run 'jot recover' on the "+
			"issuer's database, which makes a log that refuses what was issued up to %v", issuer, before.Time.UTC())
	}
	return nil
}

// revokedKeys are the rules about keys that were in force. They never expire, and outlive their log: a key that was
// revoked stays revoked, and no new token bears its name.
func (h *history) revokedKeys() []Rule {
	if h.set == nil {
		return nil
	}
	return h.set.revokedKeys()
}

// noteSnapshot remembers a head that passed checkSnapshot. A new log doesn't replace the old one yet: its snapshot
// alone could be an old one.
func (h *history) noteSnapshot(to Head) {
	if h.high.LogID == "" || to.LogID == h.high.LogID && to.Sequence > h.high.Sequence {
		h.high = to
	}
}

// noteFresh remembers a head that was proven fresh, with the rules up to there, and reports whether its log has
// replaced another one.
func (h *history) noteFresh(s Statement, set *Set) (replaced bool) {
	if h.high.LogID != "" && h.high.LogID != s.LogID {
		h.retired[h.high.LogID] = true
		replaced = true
	}
	h.high, h.seen, h.set = s.Head, s, set
	return replaced
}
