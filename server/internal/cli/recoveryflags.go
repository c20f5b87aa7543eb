package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// kekSuffix is what the key-encryption key's file has more than the data directory, where it isn't named.
const kekSuffix = ".kek"

// recoveryFlags say how a database is recovered, as those of serve say how it's served.
type recoveryFlags struct{ issuer, kekFile, witness string }

func (f *recoveryFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.issuer, "issuer", "", "`URL` that tokens name as their issuer")
	flags.StringVar(&f.kekFile, "kek", "", "`FILE` of the key-encryption key (default DIR"+kekSuffix+")")
	flags.StringVar(&f.witness, "witness", "", "`FILE` that remembers how far the revocation log has come (default DIR.witness)")
}

// config reads the key-encryption key, and never makes one: a new key opens no old database.
func (f *recoveryFlags) config(d database) (server.RecoverConfig, error) {
	if f.issuer == "" {
		return server.RecoverConfig{}, usagef("give --issuer URL as for 'jot serve'")
	}
	var data, file string
	var err error
	if d.dir != "" {
		if data, err = filepath.Abs(d.dir); err != nil {
			return server.RecoverConfig{}, err
		}
		file = data + kekSuffix
	}
	if file = cmp.Or(f.kekFile, file); os.Getenv("JOT_KEK") == "" {
		if file == "" {
			return server.RecoverConfig{}, usagef("name the key-encryption key with --kek FILE or JOT_KEK")
		}
		if missing(file) {
			return server.RecoverConfig{}, fmt.Errorf("the key-encryption key %s is missing: put your copy there, or name it with --kek or JOT_KEK", file)
		}
	}
	kek, err := readKEK(file)
	if err != nil {
		return server.RecoverConfig{}, err
	}
	return server.RecoverConfig{Database: d.url, DataDir: data, URL: f.issuer, KeyEncryptionKey: kek.Bytes(), WitnessFile: f.witness}, nil
}

// readKEK reads the key-encryption key from the environment, or from a file that exists.
func readKEK(file string) (server.Secret, error) {
	text := os.Getenv("JOT_KEK")
	if text == "" {
		return server.SecretFile(file)
	}
	kek, err := server.ParseSecret(text)
	if err != nil {
		return kek, fmt.Errorf("$JOT_KEK: %w", err)
	}
	return kek, nil
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
