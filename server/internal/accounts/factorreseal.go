package accounts

import "context"

const resealBatch = 200

// unopened gives a secret that is to take the place of one that no key-encryption key opens, or fails.
type unopened func(error) ([]byte, error)

// ResealFactors seals every secret anew that was sealed under an older key-encryption key, after which that one isn't
// needed.
func ResealFactors(ctx context.Context, store Store, secrets Secrets) error {
	return reseal(ctx, store, secrets, func(err error) ([]byte, error) { return nil, err })
}

// LoseFactors is ResealFactors where a key-encryption key is lost: what none opens any more becomes a secret that
// nobody knows. So its owner still needs a second factor: a recovery code, a passkey, or an administrator who removes
// it.
func LoseFactors(ctx context.Context, store Store, secrets Secrets) error {
	return reseal(ctx, store, secrets, func(error) ([]byte, error) { return newTOTPSecret(), nil })
}

func reseal(ctx context.Context, store Store, secrets Secrets, instead unopened) error {
	for after := ""; ; {
		var page []TOTP
		err := store.ViewAccounts(ctx, func(r Reader) (err error) {
			page, err = r.TOTPs(after, resealBatch)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].Subject
		// A secret is replaced only where it's still the one that was read: an enrolment at the same time has sealed
		// another one, under the new key.
		err = store.UpdateAccounts(ctx, func(tx Tx) error { return resealAll(tx, secrets, instead, page) })
		if err != nil {
			return err
		}
	}
}

func resealAll(tx Tx, secrets Secrets, instead unopened, page []TOTP) error {
	for _, f := range page {
		secret, current, err := secrets.OpenSecret(TOTPSecret, f.Subject, f.Sealed)
		if err != nil {
			current = false
			secret, err = instead(err)
		}
		if err == nil && !current {
			err = tx.ResealTOTP(f, secrets.SealSecret(TOTPSecret, f.Subject, secret))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
