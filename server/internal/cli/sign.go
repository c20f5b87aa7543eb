package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

// signFlags are the flags of jot sign.
type signFlags struct {
	keys       []string
	kid, alg   string
	typ        string
	lifetime   time.Duration
	claims     []string
	claimsFile string
	header     headerFlags

	payload payloadFlags
	sealing sealingFlags
}

func newSignCommand() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign --key FILE|- [flags]",
		Short: "Sign a token, or any bytes",
		Long: `Sign a token, or any bytes. What is signed is the only thing on standard output.

  --claim name=value   a string; none that looks like true, false, null, an
                       array or an object
  --claim name:=JSON   any of these, a number, or a string in quotation marks

The times iat (now) and exp (--exp from now) are set unless the claims state
them. A claim given twice is refused. Without --key the key comes from JOT_KEY.
With --encrypt the signed token is encrypted as well; jot verify --decrypt
opens it.

With --payload a file is signed instead of claims, as a JWS (RFC 7515) and not
as a token. Say which type of message it is, so that it never passes for
another. In JSON it may bear the signatures of several keys. With --cosign a
message that others signed gets one signature more, if theirs hold.

Exit codes: 0 signed, 1 an error, 2 a wrong command line, 3 the message to
cosign is refused.`,
		Example: `  jot sign --key key.jwk --claim iss=https://auth.example.com --claim sub=alice
  jot sign --key key.jwk --exp 1h --claim aud=petstore --claim 'roles:=["admin"]'
  jot sign --key key.jwk --typ at+jwt --claims claims.json > token
  echo '{"sub":"alice"}' | jot sign --key key.jwk --claims -
  jot sign --key key.jwk --claim sub=alice --encrypt recipient.jwk > sealed
  jot sign --key key.jwk --payload invoice.txt --typ invoice --detached > signature
  jot sign --key key.jwk --key other.jwk --payload invoice.txt --typ invoice --json > cosigned
  jot sign --key third.jwk --cosign cosigned --signed-by public.jwk --signed-by other.jwk --typ invoice`,
		Args:                  noArguments,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return runSign(cmd, f) },
		DisableFlagsInUseLine: true,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.keys, "key", nil, "private or symmetric key `FILE`: JWK, JWK Set or PEM, - for standard input; may be repeated with --json")
	flags.StringVar(&f.kid, "kid", "", keyIDUsage)
	flags.StringVar(&f.alg, "alg", "", "`ALG` of a key that doesn't name its own, as PEM never does")
	flags.StringVar(&f.typ, "typ", "", "the header's `TYPE`, such as at+jwt for an access token (default JWT)")
	flags.DurationVar(&f.lifetime, "exp", 15*time.Minute, "`DURATION` until the token expires")
	flags.StringArrayVar(&f.claims, "claim", nil, "a claim, `NAME=VALUE` or NAME:=JSON; may be repeated")
	flags.StringVar(&f.claimsFile, "claims", "", "`FILE` with a JSON object of claims, - for standard input")
	f.header.addFlags(cmd, "a further member of the header, `NAME=VALUE` or NAME:=JSON; may be repeated")
	f.sealing.addFlags(cmd)
	f.payload.addFlags(cmd)
	return cmd
}

func runSign(cmd *cobra.Command, f signFlags) error {
	allowed, err := f.check(cmd)
	if err != nil {
		return err
	}
	if f.payload.given() {
		return signPayload(cmd, f, allowed)
	}
	header, err := f.header.read()
	if err != nil {
		return err
	}
	claims, err := f.readClaims(cmd)
	if err != nil {
		return err
	}
	if err := f.addTimes(claims, cmd.Flags().Changed("exp"), time.Now()); err != nil {
		return err
	}
	payload, err := encodeClaims(claims)
	if err != nil {
		return err
	}
	keys, err := f.signingKeys(cmd, allowed)
	if err != nil {
		return err
	}
	signer, err := jot.NewSigner(keys[0], jot.SignerOptions{Type: f.typ, Header: header})
	if err != nil {
		return err
	}
	token, err := f.signToken(cmd, signer, claims, payload)
	if err != nil {
		return err
	}
	return printLine(cmd, []byte(token))
}

// signToken signs, and encrypts where that is asked for. A token that isn't encrypted can be read by whoever holds it.
func (f signFlags) signToken(cmd *cobra.Command, signer *jot.Signer, claims map[string]json.RawMessage, payload json.RawMessage) (string, error) {
	if f.sealing.file == "" {
		members, _ := readMembers(payload)
		for _, leak := range findLeaks(members) {
			warn(cmd, "%s", leak)
		}
		return signer.Sign(cmd.Context(), payload)
	}
	encrypter, err := f.sealing.encrypter(cmd, claims)
	if err != nil {
		return "", err
	}
	return encrypter.SealToken(cmd.Context(), signer, payload)
}

// check finds what is wrong with the flags before anything is read.
func (f signFlags) check(cmd *cobra.Command) ([]string, error) {
	if len(f.keys) == 0 && os.Getenv("JOT_KEY") == "" {
		return nil, usagef("no key: give --key FILE, or set JOT_KEY; jot key generate makes one")
	}
	if err := readOnce(slices.Concat(f.keys, f.payload.signedBy, []string{f.claimsFile, f.payload.file, f.payload.cosign, f.sealing.file})...); err != nil {
		return nil, err
	}
	if err := f.payload.check(cmd, f); err != nil {
		return nil, err
	}
	if err := f.sealing.check(cmd); err != nil {
		return nil, err
	}
	return checkAlgorithm(f.alg, signingAlgorithms)
}

// signingKeys returns the one key of each file that can sign, or the one that --kid names.
func (f signFlags) signingKeys(cmd *cobra.Command, allowed []string) ([]jot.SigningKey, error) {
	if len(f.keys) == 0 {
		f.keys = []string{""}
	}
	canSign := func(key fileKey) bool { return key.signing != nil }
	var keys []jot.SigningKey
	for _, name := range f.keys {
		file, err := loadKeys(cmd, name, forSigning.naming(f.kid), allowed)
		if err != nil {
			return nil, err
		}
		key, err := file.one(f.kid, canSign, "sign", "a public key can't sign: give the private key")
		if err != nil {
			return nil, err
		}
		if len(allowed) > 0 && key.algorithm() != allowed[0] {
			return nil, fmt.Errorf("the key is for %s, not for %s: leave --alg out", key.algorithm(), allowed[0])
		}
		keys = append(keys, key.signing)
	}
	return keys, nil
}
