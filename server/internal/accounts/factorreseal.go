package accounts

import "context"

const resealBatch = 200

// ResealFactors seals every secret anew that was sealed under an older key-encryption key, after which that one isn't
// needed.
func ResealFactors(ctx context.Context, store Store, secrets Secrets) error {
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
		err = store.UpdateAccounts(ctx, func(tx Tx) error { return resealAll(tx, secrets, page) })
		if err != nil {
			return err
		}
	}
}

func resealAll(tx Tx, secrets Secrets, page []TOTP) error {
	for _, f := range page {
		secret, current, err := secrets.OpenSecret(TOTPSecret, f.Subject, f.Sealed)
		if err == nil && !current {
			err = tx.ResealTOTP(f, secrets.SealSecret(TOTPSecret, f.Subject, secret))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
