package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server/issuer"
)

// recoverySettings are the settings, beside the database, of which a recovery has flags.
var recoverySettings = []string{"issuer", "kek_file", "kek_old_file", "witness_file"}

// addKeyLostFlag adds a flag for whom no copy of the key-encryption key is left.
func addKeyLostFlag(cmd *cobra.Command, lost *bool) {
	cmd.Flags().BoolVar(lost, "kek-lost", false, "no copy of the key-encryption key is left: go on with another, made where there is none; one-time codes are lost")
}

// warnOfLostKey says what is left to do when a recovery went on without the key-encryption key of before.
func warnOfLostKey(cmd *cobra.Command) {
	warn(cmd, "one-time codes of before aren't good any more: their owners log in with a recovery code or a passkey, or ask for 'jot admin user remove-factors'. "+
		"Keep a copy of the new key-encryption key")
}

// printRecovery says what was done, and loudly what nobody can do.
func printRecovery(cmd *cobra.Command, r issuer.Recovery) error {
	lastRule := "none"
	if !r.LastRule.IsZero() {
		lastRule = "the last of " + r.LastRule.UTC().Format(time.RFC3339)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), `revocation log   %s begins; %s ended at rule %d (%s)
access tokens    all that were issued before %s are refused
sessions         %d ended; no refresh token of before is good
signing keys     %d revoked; the first that signs now is %s
`, r.After.LogID, r.Before.LogID, r.Before.Sequence, lastRule, r.RefuseIat.UTC().Format(time.RFC3339), r.Sessions, len(r.Revoked), r.SigningKey[0])
	warn(cmd, "what happened after this state of the database is lost: bans, new passwords and client secrets, changed claims, deleted "+
		"accounts and clients. Nobody's token of before is good, but whoever was banned since can log in again: repeat it")
	return err
}

// copyProgress tells a person at a terminal how much is copied; nil elsewhere. Its line is erased at the end.
func copyProgress(cmd *cobra.Command) func(done, total int) {
	out, ok := cmd.ErrOrStderr().(*os.File)
	if !ok || !isTerminal(out) {
		return nil
	}
	return func(done, total int) {
		if done >= total {
			fmt.Fprint(out, "\r\x1b[K")
			return
		}
		fmt.Fprintf(out, "\r%3d %% copied", int64(done)*100/int64(total))
	}
}
