package issuer

import "context"

// WaitingTogether is how many changes wait to share a transaction.
func (i *Issuer) WaitingTogether() int { return i.line.Waiting() }

// Sweep forgets what is over until there is no more.
func (i *Issuer) Sweep(ctx context.Context) error {
	for {
		more, err := i.sweep(ctx)
		if err != nil || !more {
			return err
		}
	}
}
