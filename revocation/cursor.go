package revocation

import (
	"errors"
	"fmt"
)

// maxPending bounds the texts of rules that nobody has signed yet, in bytes: a cache on the way could make up any.
const maxPending = 64 << 20

// cursor is how far a reader has come in a log, and the rules up to there.
type cursor struct {
	head    Head
	set     *Set
	pending []Rule // up to the head, and not in the set: nobody has signed yet where they lead
	size    int    // of their texts, in bytes
	known   Head   // one that was seen before; a log of this name that comes by another way is a fork
}

func newCursor(head Head, set *Set, known Head) *cursor {
	return &cursor{head: head, set: set, known: known}
}

// extend goes on by rules that nobody has signed. They count when follow finds that they lead to a signed head.
func (c *cursor) extend(rules []Rule) error {
	head, err := c.after(rules)
	if err != nil {
		return err
	}
	for _, r := range rules {
		c.size += len(r.Issuer) + len(r.Value) + len(r.Subject)
	}
	if c.size > maxPending {
		return fmt.Errorf("feed segments: more than %d bytes that nobody has signed", maxPending)
	}
	c.head, c.pending = head, append(c.pending, rules...)
	return nil
}

// after returns the head that the rules lead to.
func (c *cursor) after(rules []Rule) (Head, error) {
	head := c.head
	for _, r := range rules {
		if head = head.Append(r); head.Sequence == c.known.Sequence && head.LogID == c.known.LogID && head != c.known {
			return head, fmt.Errorf("feed: the log forked at or before %d", head.Sequence)
		}
	}
	return head, nil
}

// follow applies the rules when they lead from the cursor's head to exactly the stated one.
func (c *cursor) follow(rules []Rule, to Head) error {
	head, err := c.after(rules)
	switch {
	case err != nil:
		return err
	case to.LogID != head.LogID:
		return errors.New("feed: a frame of another log")
	case to.Sequence < head.Sequence:
		return fmt.Errorf("feed: a replayed frame, at %d where %d was due", to.Sequence, head.Sequence)
	case to.Sequence > head.Sequence:
		return fmt.Errorf("feed: rules are missing, at %d where %d was due", to.Sequence, head.Sequence)
	case to.Hash != head.Hash:
		return fmt.Errorf("feed: the rules up to %d are not the ones in the log", head.Sequence)
	}
	if err := c.set.Apply(append(c.pending, rules...)...); err != nil {
		return err
	}
	c.head, c.pending, c.size = head, nil, 0
	return nil
}
