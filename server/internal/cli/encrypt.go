package cli

import (
	"errors"
	"fmt"

	"github.com/jot-auth/jot/jwe"
	"github.com/spf13/cobra"
)

// encryptFlags are the flags of jot encrypt.
type encryptFlags struct {
	keys         []string
	kid, alg     string
	enc          string
	password     passwordFlags
	typ, content string
	header       headerFlags
	party        partyFlags
	additional   string
	zip, json    bool
}

func newEncryptCommand() *cobra.Command {
	var f encryptFlags
	cmd := &cobra.Command{
		Use:   "encrypt [--key FILE]... [--password] [flags] FILE|-",
		Short: "Encrypt for a key or a password",
		Long: `Encrypt the bytes of a file, or of standard input, as a JWE (RFC 7516) for the
holder of a key. Anybody can encrypt for a public key: what arrives says nothing
of who sent it. For a token that is signed and encrypted there is jot sign
--encrypt.

With several keys, each of their holders can decrypt; that takes --json. A
password is asked for at the terminal or read from a file, and is the last
resort: whoever gets hold of the message can try guesses for as long as they like.
Compressed, the message's length tells something of the content.`,
		Example: `  jot encrypt --key recipient.jwk letter.txt > letter.jwe
  jot encrypt --key recipient.pem --alg ECDH-ES --enc A256CBC-HS512 letter.txt
  jot encrypt --key recipient.jwk --key shared.jwk --json letter.txt
  jot encrypt --key recipient.jwk --json --aad address.txt letter.txt
  jot encrypt --password-file password letter.txt`,
		Args:                  oneFile,
		RunE:                  func(cmd *cobra.Command, args []string) error { return runEncrypt(cmd, f, args[0]) },
		ValidArgsFunction:     completeFiles,
		DisableFlagsInUseLine: true,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.keys, "key", nil, "the recipient's key `FILE`: JWK, JWK Set or PEM; may be repeated with --json")
	flags.StringVar(&f.kid, "kid", "", keyIDUsage+"; so does a password alone")
	flags.StringVar(&f.alg, "alg", "", "`ALG` of a key that doesn't name its own, as PEM never does")
	f.password.addFlags(cmd)
	f.password.addCostFlags(cmd)
	flags.StringVar(&f.enc, "enc", contentEncryptions[0], "encrypt with `ENC`: "+list(contentEncryptions))
	flags.StringVar(&f.typ, "typ", "", "the header's `TYPE`: what kind of message this is")
	flags.StringVar(&f.content, "cty", "", "the header's content `TYPE`: the media type of what is encrypted")
	f.header.addFlags(cmd, "a further member of the protected header, `NAME=VALUE` or NAME:=JSON; may be repeated")
	f.party.addFlags(cmd)
	flags.StringVar(&f.additional, "aad", "", "`FILE` whose bytes go along, for everybody to read and for nobody but a recipient to alter; with --json")
	flags.BoolVar(&f.zip, "zip", false, "compress, at most 250 KiB")
	flags.BoolVar(&f.json, "json", false, "write JSON, not the compact form")
	return cmd
}

// oneFile accepts the argument of a command that is about the content of one file.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("give one file, or - for standard input, not %d arguments", len(args))
	}
	return nil
}

func runEncrypt(cmd *cobra.Command, f encryptFlags, name string) error {
	allowed, err := f.check(cmd, name)
	if err != nil {
		return err
	}
	keys, err := f.recipients(cmd, allowed)
	if err != nil {
		return err
	}
	header, err := f.header.read()
	if err := errors.Join(err, f.party.check(keys...)); err != nil {
		return err
	}
	options := jwe.EncrypterOptions{
		Type: f.typ, ContentType: f.content, Header: header, Compress: f.zip,
		PartyU: []byte(f.party.sender), PartyV: []byte(f.party.recipient),
	}
	encrypter, err := jwe.NewEncrypter(encryptionFor(cmd, f.enc, keys[0]), options, keys...)
	if err != nil {
		return err
	}
	content, err := readInput(cmd, name, "what to encrypt", maxPayload)
	if err != nil {
		return err
	}
	if f.json {
		additional, err := f.readAdditional(cmd)
		if err != nil {
			return err
		}
		message, err := encrypter.EncryptJSON(content, additional)
		if err != nil {
			return err
		}
		return printLine(cmd, message)
	}
	message, err := encrypter.Encrypt(content)
	if err != nil {
		return err
	}
	return printLine(cmd, []byte(message))
}

func (f encryptFlags) readAdditional(cmd *cobra.Command) ([]byte, error) {
	if f.additional == "" {
		return nil, nil
	}
	return readInput(cmd, f.additional, "additional data", maxInput)
}

// check finds what is wrong with the flags before anything is read.
func (f encryptFlags) check(cmd *cobra.Command, name string) ([]string, error) {
	switch {
	case len(f.keys) == 0 && !f.password.given():
		return nil, usagef("for whom? give --key FILE, --password or --password-file FILE")
	case f.severalRecipients() && !f.json:
		return nil, usagef("a message for several recipients is in JSON: add --json")
	case len(f.keys) > 1 && f.kid != "":
		return nil, usagef("--kid chooses one key: give one --key")
	case f.additional != "" && !f.json:
		return nil, usagef("additional data stands in JSON only: add --json")
	case f.alg != "" && len(f.keys) == 0:
		return nil, usagef("--alg is for a key that doesn't name its own: for a password there is --password-alg")
	}
	if err := errors.Join(f.password.check(), f.password.checkCost(cmd)); err != nil {
		return nil, err
	}
	if err := checkNames("enc", []string{f.enc}, contentEncryptions); err != nil {
		return nil, err
	}
	if err := readOnce(append([]string{name, f.password.file, f.additional}, f.keys...)...); err != nil {
		return nil, err
	}
	return checkAlgorithm(f.alg, encryptionKeyAlgorithms)
}

func (f encryptFlags) severalRecipients() bool {
	return len(f.keys) > 1 || len(f.keys) == 1 && f.password.given()
}

// recipients are the keys of all files, and the password.
func (f encryptFlags) recipients(cmd *cobra.Command, allowed []string) ([]jwe.EncryptionKey, error) {
	var keys []jwe.EncryptionKey
	for _, name := range f.keys {
		key, err := recipientKey(cmd, name, forEncryption.naming(f.kid), allowed)
		if err != nil {
			return nil, err
		}
		if f.severalRecipients() && key.KeyID() == "" {
			return nil, fmt.Errorf("%s: among several, a key needs an ID, by which its holder finds what is for him: jot key convert --to jwk --kid ID gives it one", name)
		}
		keys = append(keys, key)
	}
	if !f.password.given() {
		return keys, nil
	}
	password, err := f.password.read(cmd, true)
	if err != nil {
		return nil, err
	}
	id := f.kid
	if f.severalRecipients() {
		id = "password"
	}
	key, err := f.password.key(jwe.Algorithm(f.password.alg), password, id)
	return append(keys, key), err
}

// recipientKey is the one key of a file that can encrypt, or the one that the purpose names.
func recipientKey(cmd *cobra.Command, name string, p purpose, allowed []string) (jwe.EncryptionKey, error) {
	file, err := loadKeys(cmd, name, p, allowed)
	if err != nil {
		return nil, err
	}
	canEncrypt := func(key fileKey) bool { return key.encrypting != nil }
	key, err := file.one(p.keyID, canEncrypt, "encrypt", "no key can encrypt")
	return key.encrypting, err
}

// encryptionFor is what --enc says, or the only one that a key is for.
func encryptionFor(cmd *cobra.Command, enc string, key jwe.EncryptionKey) jwe.Encryption {
	if direct, ok := key.(*jwe.SecretKey); ok && direct.Encryption() != "" && !cmd.Flags().Changed("enc") {
		return direct.Encryption()
	}
	return jwe.Encryption(enc)
}
