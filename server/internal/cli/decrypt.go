package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/jot-auth/jot/jwe"
	"github.com/spf13/cobra"
)

// decryptFlags are the flags of jot decrypt.
type decryptFlags struct {
	key, alg  string
	password  passwordFlags
	enc       []string
	zip, json bool
}

func newDecryptCommand() *cobra.Command {
	var f decryptFlags
	cmd := &cobra.Command{
		Use:   "decrypt [--key FILE | --password | --password-file FILE] [flags] FILE|-",
		Short: "Decrypt what was encrypted for a key or a password",
		Long: `Decrypt a JWE (RFC 7516), compact or in JSON, and write what was in it, byte by
byte; on a terminal, what could steer it is escaped.

Nobody altered it on its way, but anybody can have encrypted it who has the
public key: a token that is signed and encrypted is for jot verify --decrypt.
Without --key the key comes from JOT_KEY. Of a JWK Set the keys that fit are
tried. --json prints one object, with the content in base64url and with what
the message says beside it: its protected header, additional data, apu and apv.
Where a protocol expects some apu, apv or additional data, compare them.

Exit codes: 0 decrypted, 1 an error, 2 a wrong command line, 3 can't be
decrypted, which never says why.`,
		Example: `  jot decrypt --key decryption.jwk letter.jwe > letter
  jot decrypt --key decryption.jwk - < letter.jwe
  jot decrypt --key decryption.pem --alg ECDH-ES+A256KW letter.jwe
  jot decrypt --key decryption.jwk --json letter.jwe`,
		Args:                  oneFile,
		RunE:                  func(cmd *cobra.Command, args []string) error { return runDecrypt(cmd, f, args[0]) },
		ValidArgsFunction:     completeFiles,
		DisableFlagsInUseLine: true,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.key, "key", "", "private or symmetric key `FILE`: JWK, JWK Set or PEM")
	flags.StringVar(&f.alg, "alg", "", "`ALG` of a key that doesn't name its own, as PEM never does")
	f.password.addFlags(cmd)
	flags.StringSliceVar(&f.enc, "enc", nil, acceptedEncUsage)
	flags.BoolVar(&f.zip, "zip", false, "accept a compressed message, of at most 250 KiB when inflated")
	flags.BoolVar(&f.json, "json", false, "print what was decrypted as JSON")
	return cmd
}

func runDecrypt(cmd *cobra.Command, f decryptFlags, name string) error {
	allowed, err := f.check(name)
	if err != nil {
		return err
	}
	keys, err := f.keys(cmd, allowed)
	if err != nil {
		return err
	}
	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{Encryptions: encryptionsOf(f.enc), Decompress: f.zip, MaxSize: maxMessage}, keys...)
	if err != nil {
		return err
	}
	encrypted, err := readInput(cmd, name, "the message", maxMessage)
	if err != nil {
		return err
	}
	message, err := decrypter.Decrypt(cmd.Context(), trimLine(encrypted))
	switch {
	case err != nil && f.json:
		return printUndecrypted(cmd, err)
	case err != nil:
		return f.refusedMessage(err, trimLine(encrypted))
	case f.json:
		return printObject(cmd, newDecrypted(message))
	}
	say(cmd, "%s", described(message))
	return writePayload(cmd, message.Plaintext())
}

// check finds what is wrong with the flags before anything is read.
func (f decryptFlags) check(name string) ([]string, error) {
	switch {
	case f.key != "" && f.password.given():
		return nil, usagef("--key and a password exclude each other: give one")
	case f.key == "" && !f.password.given() && os.Getenv("JOT_KEY") == "":
		return nil, usagef("no key: give --key FILE, --password or --password-file FILE, or set JOT_KEY")
	case f.alg != "" && f.password.given():
		return nil, usagef("--alg is for a key that doesn't name its own: of a password the message says how it was used")
	}
	if err := errors.Join(f.password.check(), readOnce(name, f.key, f.password.file), checkNames("enc", f.enc, contentEncryptions)); err != nil {
		return nil, err
	}
	return checkAlgorithm(f.alg, encryptionKeyAlgorithms)
}

// adviseInspect is what may be said of a message that can't be decrypted: what its headers say to everybody.
const adviseInspect = "; jot inspect shows whom it's for"

// refusedMessage says of a JWE no more than that it can't be decrypted, and what else is no JWE. An error that says
// nothing about the message stays as it is.
func (f decryptFlags) refusedMessage(err error, message []byte) error {
	refused, ok := rejection(err)
	switch dots := bytes.Count(message, []byte(".")); {
	case !ok:
		return err
	case refused.Error != "decryption":
		return refusedFor(refused, refused.Detail)
	case dots == encryptedParts-1, bytes.HasPrefix(bytes.TrimSpace(message), []byte("{")):
		return refusedFor(refused, refused.Detail+dissect(string(message)).adviseZip(f.zip)+adviseInspect)
	case dots == signedParts-1:
		return refusedFor(verdict{Error: "malformed"}, "this is signed, not encrypted: see jot verify")
	}
	return refusedFor(verdict{Error: "malformed"}, "this is no encrypted message (JWE), which is JSON or five parts between dots")
}

// described says what opened a message, and what that doesn't mean.
func described(m *jwe.Message) string {
	text := "decrypted with " + keyName(string(m.Algorithm()), m.KeyID()) + "; this says nothing of who sent it"
	if beside := len(m.Additional()) + len(m.PartyU()) + len(m.PartyV()); beside > 0 {
		text += "; --json shows what it says beside its content (aad, apu, apv)"
	}
	return text
}

func (f decryptFlags) keys(cmd *cobra.Command, allowed []string) ([]jwe.DecryptionKey, error) {
	if f.password.given() {
		return f.passwordKeys(cmd)
	}
	return decryptionKeys(cmd, f.key, forEncryption, allowed)
}

// passwordKeys are the password for each algorithm that it may have been used with: which of them, only the message
// says.
func (f decryptFlags) passwordKeys(cmd *cobra.Command) ([]jwe.DecryptionKey, error) {
	password, err := f.password.read(cmd, false)
	if err != nil {
		return nil, err
	}
	var keys []jwe.DecryptionKey
	for _, alg := range passwordAlgorithms {
		key, err := f.password.key(alg, password, "")
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// decryptionKeys are the keys of a file that can decrypt.
func decryptionKeys(cmd *cobra.Command, name string, p purpose, allowed []string) ([]jwe.DecryptionKey, error) {
	file, err := loadKeys(cmd, name, p, allowed)
	if err != nil {
		return nil, err
	}
	var keys []jwe.DecryptionKey
	for _, key := range file.keys {
		if key.decrypting != nil {
			keys = append(keys, key.decrypting)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: a public key can't decrypt: give the private key", file.source)
	}
	return keys, nil
}
