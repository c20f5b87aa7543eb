package issuer

import (
	"context"

	"github.com/jot-auth/jot/revocation"
)

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

// SpendForeignLogouts uses up some of the logouts that another issuer has.
func (i *Issuer) SpendForeignLogouts(url string, count int) {
	for range count {
		i.foreign[url].logouts.take(i.config.Now())
	}
}

// ForeignLogoutRules answers what logout tokens of one other issuer mean.
func ForeignLogoutRules(c Config) (func(ctx context.Context, raw string) (revocation.Rule, error), error) {
	all, err := newForeignIssuers(c)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, raw string) (revocation.Rule, error) {
		logout, err := all[c.ForeignIssuers[0].URL].open(ctx, raw)
		return logout.rule, err
	}, nil
}
