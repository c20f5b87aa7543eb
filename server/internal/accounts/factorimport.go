package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"

	"github.com/jot-auth/jot/server/issuer"
)

// Bounds of what other systems made. A secret has at least what RFC 4226 §4 (R6) demands, and at most a block of the
// hash, from where on more adds nothing.
const (
	minImportedSecret = 16 // bytes
	maxImportedSecret = 64
	maxImportedHashes = 100
)

var (
	errImportedSecret = &issuer.InputError{Field: "totp_secret", Reason: "must be 16 to 64 bytes in base32, in capitals and without padding (RFC 4648)"}
	errImportedHashes = &issuer.InputError{Field: "recovery_hashes", Reason: "must be up to 100 different SHA-256 hashes in lower-case hex"}
)

// ImportTOTP gives an account the one-time codes that it had at another system, confirmed, with the hashes of its
// recovery codes as Export writes them. It fails with an *issuer.InputError, issuer.ErrNotFound where the subject has
// no account, and issuer.ErrTaken where it has one-time codes already.
func (a *Admin) ImportTOTP(ctx context.Context, subject string, f issuer.ForeignTOTP) error {
	secret, err := parseTOTPSecret(f.Secret)
	if err != nil {
		return err
	}
	hashes, err := parseRecoveryHashes(f.RecoveryHashes)
	if err != nil {
		return err
	}
	sealed := a.accounts.issuer.SealSecret(TOTPSecret, subject, secret)
	// That there are no codes yet, the secret, the recovery codes and the event are one commit: of two imports the
	// second finds the first, and what the owner has confirmed meanwhile stays.
	return a.accounts.issuer.Amend(ctx, subject, issuer.EventFactorAdded, func(t issuer.Tx) error {
		tx := a.accounts.store.AccountsTx(t)
		if _, err := tx.AccountOfSubject(subject); err != nil {
			return err
		}
		present, err := tx.TOTP(subject)
		if err != nil && !errors.Is(err, issuer.ErrNotFound) {
			return err
		}
		if present.Confirmed {
			return issuer.ErrTaken
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		created := f.Created
		if created.IsZero() || created.After(now) {
			created = now
		}
		if _, err := bringRecoveryCodes(tx, subject, hashes); err != nil {
			return err
		}
		return tx.PutTOTP(TOTP{Subject: subject, Sealed: sealed, Confirmed: true, Created: created})
	})
}

// parseTOTPSecret reads what EncodeTOTPSecret writes, and nothing that only looks like it.
func parseTOTPSecret(text string) ([]byte, error) {
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || EncodeTOTPSecret(secret) != text || len(secret) < minImportedSecret || len(secret) > maxImportedSecret {
		return nil, errImportedSecret
	}
	return secret, nil
}

func parseRecoveryHashes(texts []string) (hashes [][sha256.Size]byte, err error) {
	if len(texts) > maxImportedHashes {
		return nil, errImportedHashes
	}
	seen := make(map[string]bool, len(texts))
	for _, text := range texts {
		hash, err := hex.DecodeString(text)
		if err != nil || len(hash) != sha256.Size || hex.EncodeToString(hash) != text || seen[text] {
			return nil, errImportedHashes
		}
		seen[text] = true
		hashes = append(hashes, [sha256.Size]byte(hash))
	}
	return hashes, nil
}
