package cli

import (
	"bytes"

	"github.com/spf13/cobra"
)

func newKeyConvertCommand() *cobra.Command {
	var in keyInput
	var out keyOutput
	var form, kid, encoding string
	cmd := &cobra.Command{
		Use:   "convert --to jwk|pem [--key FILE|-] [--kid ID] [--alg ALG] [--encoding ENCODING] [--out FILE] [--force]",
		Short: "Turn a key into a JWK or into PEM",
		Long: `Turn a key into a JWK or into PEM. A private key stays private, and a public
one public.

PEM is PKCS #8 for a private key and SPKI for a public one; it can't say which
algorithm a key is for. Read, it may also be PKCS #1, SEC 1 or a certificate,
of which nothing but the key is taken. Without --key the key comes from JOT_KEY
or standard input.

A secret that stands in a file by itself, as other tools keep them, becomes the
JWK of a symmetric key with --encoding, which says how it's written there: text
and the others on one line, bytes as they are.`,
		Example: `  jot key convert --to pem --key key.jwk --out private.pem
  jot key convert --to jwk --key public.pem --alg ES256
  jot key convert --to jwk --key certificate.pem --alg ES256
  jot key convert --to jwk --key secret.hex --encoding hex --alg HS256 --out secret.jwk`,
		Args: in.argument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if form == "" {
				return usagef("into what? say --to jwk or --to pem")
			}
			if err := checkNames("to", []string{form}, flagWords["to"]); err != nil {
				return err
			}
			if encoding != "" {
				return convertSecret(cmd, in, form, kid, encoding, out)
			}
			return convertKey(cmd, in, form, kid, out)
		},
		ValidArgsFunction:     completeFiles,
		DisableFlagsInUseLine: true,
	}
	in.addFlags(cmd)
	cmd.Flags().StringVar(&form, "to", "", "`FORM` to write: jwk or pem")
	cmd.Flags().StringVar(&kid, "kid", "", keyIDUsage)
	cmd.Flags().StringVar(&encoding, "encoding", "", "`ENCODING` of a bare secret: "+list(flagWords["encoding"]))
	out.addFlags(cmd, "a private key's mode is 0600")
	return cmd
}

func convertKey(cmd *cobra.Command, in keyInput, form, kid string, out keyOutput) error {
	purpose, write := forEither, fileKey.jwk
	if form == "pem" {
		purpose, write = forMaterial, fileKey.pem
	}
	file, err := in.load(cmd, purpose.naming(kid))
	if err != nil {
		return err
	}
	key, err := file.one(kid, func(fileKey) bool { return true }, "be converted", "there is no key")
	if err != nil {
		return err
	}
	text, err := write(key)
	if err != nil {
		return err
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	if key.isSecret() {
		return out.writeSecret(cmd, text, key.String())
	}
	return out.write(cmd, text, key.String())
}
