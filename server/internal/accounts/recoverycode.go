package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// Recovery codes stand in for a lost device, each once. A code is twenty characters of base32 in groups of five: 100 random bits, which nobody guesses
// even with the hashes at hand. So a fast hash will do, where a short code would need a slow one. It is one of the subject's own, so that nobody searches
// for all codes of all people at once.
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

// bringRecoveryCodes stores those that come with an account's first second factor, before it is stored. Later factors leave them as they are, so that those
// which somebody wrote down count.
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
