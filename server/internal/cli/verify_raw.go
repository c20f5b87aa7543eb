package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
	"github.com/spf13/cobra"
)

// isRaw reports whether the message is not a token.
func (f verifyFlags) isRaw() bool { return f.raw || f.payload != "" }

// checkKind refuses flags that are for the other kind of message.
func (f verifyFlags) checkKind(cmd *cobra.Command) error {
	foreign, belongs := []string{"no-typ", "unencoded", "understand", "unprotected-alg"}, "goes with --raw, and this is to be a token"
	if f.isRaw() {
		foreign, belongs = []string{"iss", "any-iss", "aud", "any-aud", "no-aud", "leeway", "at", "no-exp", "past-iat", "max-ttl", "max-size", "decrypt", "enc", "zip"},
			"is for a token, and with --raw or --payload the message is not one"
	}
	if err := refuseFlags(cmd, foreign, belongs); err != nil {
		return err
	}
	if !f.isRaw() {
		return f.checkToken(cmd)
	}
	if isTokenType(f.typ) {
		return usagef("a message of type %.40s is a token: leave --raw and --payload out, or take it as mere bytes with --any-typ", f.typ)
	}
	if count(f.typ != "", f.anyTyp, f.noTyp) != 1 {
		return usagef("say which type the message must have: --typ TYPE, --no-typ for none, or --any-typ for any")
	}
	return nil
}

func verifyRaw(cmd *cobra.Command, f verifyFlags, args []string) error {
	message, err := f.verifyMessage(cmd, args)
	if err != nil {
		return f.refuse(cmd, err)
	}
	if f.json {
		return printObject(cmd, payloadAcceptance(message))
	}
	var signers []string
	for _, signature := range message.Signatures() {
		signers = append(signers, keyName(string(signature.Algorithm()), signature.KeyID()))
	}
	stderr := cmd.ErrOrStderr()
	fmt.Fprintln(stderr, styleFor(stderr).good("valid:"), printable("signed with "+strings.Join(signers, " and ")))
	return writePayload(cmd, message.Payload())
}

func (f verifyFlags) verifyMessage(cmd *cobra.Command, args []string) (*jws.Message, error) {
	raw, err := readToken(cmd, args, maxMessage)
	if err != nil {
		return nil, err
	}
	places, err := f.keyPlaces(cmd, f.algorithms)
	if err != nil {
		return nil, err
	}
	message, err := f.verifyWith(cmd, raw, places)
	return message, f.advised(f.rephrased(err, raw), raw, places, time.Now())
}

// verifyWith checks a message, with the payload of --payload or its own.
func (f verifyFlags) verifyWith(cmd *cobra.Command, raw string, places []keyPlace) (*jws.Message, error) {
	var sources []jot.KeySource
	for _, place := range places {
		sources = append(sources, place.source)
	}
	verifier, err := jws.NewVerifier(jws.VerifierOptions{
		Type: f.typ, NoType: f.noTyp, AnyType: f.anyTyp,
		Algorithms: algorithmsOf(f.algorithms), Unencoded: f.unencoded, Critical: f.understand,
		UnprotectedAlgorithm: f.unprotectedAlg, MaxSize: maxMessage,
	}, sources...)
	if err != nil {
		return nil, err
	}
	if f.payload == "" {
		return verifier.Verify(cmd.Context(), []byte(raw))
	}
	payload, err := readInput(cmd, f.payload, "a payload", maxPayload)
	if err != nil {
		return nil, err
	}
	return verifier.VerifyDetached(cmd.Context(), []byte(raw), payload)
}
