package accounts

import "context"

const resealBatch = 200

// ResealFactors seals every secret anew that was sealed under an older key-encryption key, after which that one isn't
// needed.
func ResealFactors(ctx context.Context, store Store, secrets Secrets) error {
	return replaceSecrets(ctx, store, func(f TOTP) ([]byte, error) {
		secret, current, err := secrets.OpenSecret(TOTPSecret, f.Subject, f.Sealed)
		if err != nil || current {
			return nil, err
		}
		return secrets.SealSecret(TOTPSecret, f.Subject, secret), nil
	})
}

// LoseFactors puts a secret that nobody knows in the place of each that no key-encryption key opens any more. So its
// owner still needs a second factor: a recovery code, a passkey, or an administrator who removes it.
func LoseFactors(ctx context.Context, store Store, secrets Secrets) error {
	return replaceSecrets(ctx, store, func(f TOTP) ([]byte, error) {
		secret, current, err := secrets.OpenSecret(TOTPSecret, f.Subject, f.Sealed)
		if err != nil {
			secret = newTOTPSecret()
		} else if current {
			return nil, nil
		}
		return secrets.SealSecret(TOTPSecret, f.Subject, secret), nil
	})
}

// replaceSecrets asks of each secret what takes its place, sealed; nil leaves it as it is.
func replaceSecrets(ctx context.Context, store Store, replacement func(TOTP) ([]byte, error)) error {
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
		err = store.UpdateAccounts(ctx, func(tx Tx) error { return replaceAll(tx, replacement, page) })
		if err != nil {
			return err
		}
	}
}

func replaceAll(tx Tx, replacement func(TOTP) ([]byte, error), page []TOTP) error {
	for _, f := range page {
		sealed, err := replacement(f)
		if err == nil && sealed != nil {
			err = tx.ResealTOTP(f, sealed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
