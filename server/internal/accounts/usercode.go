package accounts

import (
	"context"
	"errors"

	"github.com/jot-auth/jot/server/issuer"
)

// GuessUserCode lets a subject who is signed in enter the code that a device shows (RFC 8628 section 5.1): try says whether there is such a device. One that fails with
// issuer.ErrUserCode counts, by subject and by address, and too many are an *issuer.ThrottledError. Whoever is right, and whoever meets with a fault, loses nothing.
func (a *Accounts) GuessUserCode(ctx context.Context, subject string, from issuer.Device, try func() error) error {
	var limits []limit
	if !a.config.NoThrottling {
		limits = append(a.addressLimits(from.Address), limit{a.slot(byUserCode, subject), a.config.PerAccount})
	}
	guess, err := a.charge(ctx, limits)
	if err != nil {
		return err
	}
	err = try()
	if !errors.Is(err, issuer.ErrUserCode) {
		a.abandon(ctx, guess)
	}
	return err
}
