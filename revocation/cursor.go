package revocation

import (
	"errors"
	"fmt"
)

// cursor is how far a reader has come in a log, and the rules up to there.
type cursor struct {
	head Head
	set  *Set
}

// follow applies the rules when they lead from the cursor's head to exactly the stated one.
func (c *cursor) follow(rules []Rule, to Head) error {
	head := c.head
	for _, r := range rules {
		head = head.Append(r)
	}
	switch {
	case to.LogID != head.LogID:
		return errors.New("feed: a frame of another log")
	case to.Sequence < head.Sequence:
		return fmt.Errorf("feed: a replayed frame, at %d where %d was due", to.Sequence, head.Sequence)
	case to.Sequence > head.Sequence:
		return fmt.Errorf("feed: rules are missing, at %d where %d was due", to.Sequence, head.Sequence)
	case to.Hash != head.Hash:
		return fmt.Errorf("feed: the rules up to %d are not the ones in the log", head.Sequence)
	}
	if err := c.set.Apply(rules...); err != nil {
		return err
	}
	c.head = head
	return nil
}

// history remembers how far the logs had come, so that a feed can't take anything back.
type history struct {
	high    Head
	retired map[string]bool // logs that another one replaced
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

// note remembers a head that passed check. A new log replaces the old one only when it was proven
// fresh: its snapshot alone could be an old one.
func (h *history) note(to Head, fresh bool) {
	switch {
	case to.LogID == h.high.LogID:
		h.high = to
	case fresh || h.high.LogID == "":
		if h.high.LogID != "" {
			h.retired[h.high.LogID] = true
		}
		h.high = to
	}
}
