package issuer

import (
	"context"
	"sync"

	"github.com/jot-auth/jot/revocation"
)

// Receipt tells how far the revocation log has come with the rules that calls of the issuer wrote. It's safe for
// concurrent use.
type Receipt struct {
	mu   sync.Mutex
	head revocation.Head
}

type receiptKey struct{}

// WithReceipt returns a context whose changes are noted in the receipt.
func WithReceipt(ctx context.Context) (context.Context, *Receipt) {
	r := new(Receipt)
	return context.WithValue(ctx, receiptKey{}, r), r
}

// Cursor returns the place after the last rule that was written, and whether any was.
func (r *Receipt) Cursor() (c revocation.Cursor, written bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head.Cursor(), r.head.LogID != ""
}

// noteReceipt remembers the head after a commit, where the context has a receipt; of several, the last counts.
func noteReceipt(ctx context.Context, head revocation.Head) {
	r, ok := ctx.Value(receiptKey{}).(*Receipt)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if head.LogID != r.head.LogID || head.Sequence > r.head.Sequence {
		r.head = head
	}
}
