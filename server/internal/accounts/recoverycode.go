package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/jot-auth/jot/server/issuer"
)

// Recovery codes stand in for a lost device, each once. A code is twenty characters of base32 in groups of five: 100
// random bits, which nobody guesses even with the hashes at hand. So a fast hash will do, where a short code would need
// a slow one. It is one of the subject's own, so that nobody searches for all codes of all people at once.
const (
	recoveryCodes    = 10
	recoveryCodeSize = 20 // characters
	recoveryGroup    = 5
)

// newRecoveryCodes makes the codes of a subject, and their hashes.
func newRecoveryCodes(subject string) (codes []string, hashes [][sha256.Size]byte) {
	for range recoveryCodes {
		text := strings.ToLower(rand.Text()[:recoveryCodeSize])
		hashes = append(hashes, recoveryHash(subject, text))
		groups := make([]string, 0, recoveryCodeSize/recoveryGroup)
		for n := 0; n < len(text); n += recoveryGroup {
			groups = append(groups, text[n:n+recoveryGroup])
		}
		codes = append(codes, strings.Join(groups, "-"))
	}
	return codes, hashes
}

// RenewRecoveryCodes returns new recovery codes, this one time, for an account that has a second factor; those of
// before are void. Attempts at the password count as those of ChangePassword, and it fails as that does, and with
// issuer.ErrNotFound where there is no second factor. Whoever asks for it has just logged in with two.
func (a *Accounts) RenewRecoveryCodes(ctx context.Context, subject, password string, from issuer.Device) (codes []string, err error) {
	account, try, err := a.reauthenticate(ctx, subject, password, from)
	if err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes(subject)
	// That the password is still right and that there is a second factor, the end of the old codes, the new ones and
	// the event are one commit: of two that ask at once the codes of one count, all of them, and those that come with
	// the account's first factor at the same time stay or go whole.
	err = a.issuer.Amend(ctx, subject, issuer.EventRecoveryCodesMade, func(t issuer.Tx) error {
		tx := a.store.AccountsTx(t)
		if err := a.confirmIn(tx, account, try); err != nil {
			return err
		}
		enrolled, err := hasFactor(tx, subject)
		if err == nil && !enrolled {
			err = issuer.ErrNotFound
		}
		if err != nil {
			return err
		}
		return replaceRecoveryCodes(tx, subject, hashes)
	})
	if err != nil {
		a.abandon(ctx, try)
		return nil, err
	}
	a.tellOwner(subject, "recoverycodes")
	return codes, nil
}

// recoveryHash is the hash of a code as plainCode has it.
func recoveryHash(subject, plain string) [sha256.Size]byte {
	message := binary.BigEndian.AppendUint32([]byte("jot: recovery code"), uint32(len(subject)))
	message = append(message, subject...)
	return sha256.Sum256(append(message, plain...))
}

// plainCode is a code as it is compared: people type what they read, with spaces or without.
func plainCode(typed string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(typed))
}

// bringRecoveryCodes stores those that come with an account's first second factor, before it is stored. Later factors
// leave them as they are, so that those which somebody wrote down count.
func bringRecoveryCodes(tx Tx, subject string, hashes [][sha256.Size]byte) (first bool, err error) {
	if enrolled, err := hasFactor(tx, subject); err != nil || enrolled {
		return false, err
	}
	return true, replaceRecoveryCodes(tx, subject, hashes)
}

func replaceRecoveryCodes(tx Tx, subject string, hashes [][sha256.Size]byte) error {
	if err := tx.DeleteRecoveryCodes(subject); err != nil {
		return err
	}
	for _, hash := range hashes {
		if err := tx.InsertRecoveryCode(subject, hash); err != nil {
			return err
		}
	}
	return nil
}

// dropRecoveryCodes removes them where there is no factor left for which they would stand in.
func dropRecoveryCodes(tx Tx, subject string) error {
	if enrolled, err := hasFactor(tx, subject); err != nil || enrolled {
		return err
	}
	return tx.DeleteRecoveryCodes(subject)
}
