package accounts

import (
	"context"
	"errors"

	"github.com/jot-auth/jot/server/issuer"
)

// AdmitDevice counts a device of a public client that asks for a code (RFC 8628 §3.1), by address and network, apart
// from logins. Too many are an *issuer.ThrottledError: one address alone doesn't take all the codes that a client's
// devices may wait with.
func (a *Accounts) AdmitDevice(ctx context.Context, address string) error {
	if a.config.NoThrottling {
		return nil
	}
	_, err := a.charge(ctx, a.limitsOf(address, byDeviceStart, byDeviceStart))
	return err
}

// GuessUserCode lets a subject who is signed in enter the code that a device shows (RFC 8628 §5.1): try says whether
// there is such a device. One that fails with issuer.ErrUserCode counts, by subject and by address, and too many are an
// *issuer.ThrottledError. Whoever is right, and whoever meets with a fault, loses nothing.
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
