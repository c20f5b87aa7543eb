package revocation

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jot-auth/jot"
)

// Cursor is a place of a log: the end of the rule of that sequence. A server's answer to a change names the one up to
// which a verifier has to know the rules (Jot-Cursor).
type Cursor struct {
	LogID    string
	Sequence uint64
}

// Cursor returns the place of the head.
func (h Head) Cursor() Cursor { return Cursor{h.LogID, h.Sequence} }

// String returns "log_id:sequence", as HTTP headers have it.
func (c Cursor) String() string { return c.LogID + ":" + strconv.FormatUint(c.Sequence, 10) }

// Covers reports whether everything up to the other place is known here. Places of two logs can't be compared.
func (c Cursor) Covers(other Cursor) bool {
	return c.LogID == other.LogID && c.Sequence >= other.Sequence
}

// AwaitSequence waits until the rules of a log, up to a sequence number, are in force in this reader. When the context
// ends first, the error wraps jot.ErrUnavailable: the reader is behind, or it follows another log, as it does when the
// issuer's database was recovered. It says nothing about the lease, which CheckRevocation demands by itself.
func (r *Reader) AwaitSequence(ctx context.Context, logID string, sequence uint64) error {
	for {
		state, changed := r.status.read()
		if (Cursor{state.LogID, state.Sequence}).Covers(Cursor{logID, sequence}) {
			return nil
		}
		select {
		case <-changed:
		case <-r.done:
			return fmt.Errorf("revocation: the reader is closed: %w", jot.ErrUnavailable)
		case <-ctx.Done():
			return fmt.Errorf("revocation: the rules asked for aren't known here yet: %w", errors.Join(jot.ErrUnavailable, ctx.Err()))
		}
	}
}
