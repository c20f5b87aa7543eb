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
