package cli

import (
	"bytes"
	"errors"
	"os"

	"github.com/jot-auth/jot/jws"
	"github.com/spf13/cobra"
)

// payloadFlags are the flags of jot sign for what isn't claims.
type payloadFlags struct {
	file                      string
	contentType               string
	detached, unencoded, json bool
	noType                    bool
	critical                  []string

	cosign     string
	signedBy   []string
	understand []string
}

// given reports whether it's no token that is to be signed.
func (f *payloadFlags) given() bool { return f.file != "" || f.cosign != "" }

func (f *payloadFlags) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "payload", "", "sign the bytes of `FILE`, - for standard input, instead of claims; what follows is for that")
	flags.BoolVar(&f.noType, "no-typ", false, "state no type")
	flags.StringVar(&f.contentType, "cty", "", "the header's content `TYPE`: the media type of the payload")
	flags.BoolVar(&f.detached, "detached", false, "leave the payload out: the verifier gets it another way")
	flags.BoolVar(&f.unencoded, "unencoded", false, "sign the payload as it is, without base64url (RFC 7797)")
	flags.StringSliceVar(&f.critical, "crit", nil, "members of --header that a verifier has to understand, a comma-separated `LIST`")
	flags.BoolVar(&f.json, "json", false, "write JSON, not the compact form")
	flags.StringVar(&f.cosign, "cosign", "", "add a signature to the message in `FILE`, - for standard input; --payload is the payload that it leaves out")
	flags.StringArrayVar(&f.signedBy, "signed-by", nil, "key `FILE` of one who signed that message; may be repeated")
	flags.StringSliceVar(&f.understand, "understand", nil, understandUsage)
}

// understandUsage is the help of --understand wherever a message is verified.
const understandUsage = "extensions that \"crit\" may name, since you heed them, a comma-separated `LIST`"

// check refuses flags that belong to the other kind of thing that can be signed.
func (f *payloadFlags) check(cmd *cobra.Command, sign signFlags) error {
	foreign, belongs := []string{"no-typ", "cty", "detached", "unencoded", "json", "crit"}, "goes with --payload, and a token has claims"
	if f.given() {
		foreign, belongs = []string{"exp", "claim", "claims", "encrypt", "enc"}, "is for a token, and --payload is not one"
	}
	if err := errors.Join(refuseFlags(cmd, foreign, belongs), f.checkCosign(cmd)); err != nil {
		return err
	}
	switch {
	case f.given() && isTokenType(sign.typ):
		return usagef("a message of type %.40s is a token, whose claims are for --claims FILE: leave --payload out, or state another type", sign.typ)
	case f.given() && (sign.typ != "") == f.noType:
		return usagef("say which type of message this is: --typ TYPE, or --no-typ for none")
	case len(sign.keys) > 1 && !f.json && f.cosign == "":
		return usagef("several keys sign one payload in JSON only: add --payload FILE --json, or give one key")
	case len(sign.keys) > 1 && sign.kid != "":
		return usagef("--kid chooses one key: give one --key")
	}
	return nil
}

func signPayload(cmd *cobra.Command, f signFlags, allowed []string) error {
	keys, err := f.signingKeys(cmd, allowed)
	if err != nil {
		return err
	}
	header, err := f.header.read()
	if err != nil {
		return err
	}
	for _, name := range f.payload.critical {
		if _, stated := header[name]; !stated {
			return usagef("--crit %.40q: what a verifier has to understand is a member of --header", name)
		}
	}
	signer, err := jws.NewSigner(jws.SignerOptions{
		Type: f.typ, NoType: f.payload.noType, ContentType: f.payload.contentType, Header: header, Critical: f.payload.critical,
		Detached: f.payload.detached || f.payload.cosign != "" && f.payload.file != "", Unencoded: f.payload.unencoded,
	}, keys...)
	if err != nil {
		return err
	}
	if f.payload.cosign != "" {
		return cosign(cmd, f, signer)
	}
	return f.payload.sign(cmd, signer)
}

func (f *payloadFlags) sign(cmd *cobra.Command, signer *jws.Signer) error {
	payload, err := readInput(cmd, f.file, "a payload", maxPayload)
	if err != nil {
		return err
	}
	if f.unencoded && !f.detached && !f.json && !fitsCompact(payload) {
		return usagef("this payload can't stand in the compact form unencoded, only printable ASCII without dots can: add --detached or --json")
	}
	if f.json {
		message, err := signer.SignJSON(cmd.Context(), payload)
		if err != nil {
			return err
		}
		return printLine(cmd, message)
	}
	message, err := signer.Sign(cmd.Context(), payload)
	if err != nil {
		return err
	}
	return printLine(cmd, []byte(message))
}

// fitsCompact reports whether a payload may stand in the compact form as it is (RFC 7797 §5.2).
func fitsCompact(payload []byte) bool {
	return !bytes.ContainsFunc(payload, func(r rune) bool { return r < ' ' || r > '~' || r == '.' })
}

// writePayload writes what was signed or encrypted as it is. On a terminal, what could steer it is escaped.
func writePayload(cmd *cobra.Command, payload []byte) error {
	if file, ok := cmd.OutOrStdout().(*os.File); ok && isTerminal(file) {
		return printLine(cmd, []byte(escape(string(payload), "\n\t")))
	}
	_, err := cmd.OutOrStdout().Write(payload)
	return err
}
