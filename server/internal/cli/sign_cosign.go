package cli

import (
	"time"

	"github.com/jot-auth/jot/jws"
	"github.com/spf13/cobra"
)

// checkCosign refuses flags that go with --cosign alone, or not with it.
func (f *payloadFlags) checkCosign(cmd *cobra.Command) error {
	if f.cosign == "" {
		return refuseFlags(cmd, []string{"signed-by", "understand"}, "goes with --cosign FILE")
	}
	if len(f.signedBy) == 0 {
		return usagef("whose signatures does the message bear? give --signed-by FILE for each: nothing is cosigned that wasn't verified")
	}
	return refuseFlags(cmd, []string{"detached"}, "is what the message says: give --payload FILE where it leaves its payload out")
}

// signers are the keys of those who signed before, a place for each.
func (f *payloadFlags) signers(cmd *cobra.Command) ([]keyPlace, error) {
	var places []keyPlace
	for _, name := range f.signedBy {
		file, err := loadKeys(cmd, name, forCosigning, nil)
		if err != nil {
			return nil, err
		}
		place, err := localKeys(file, nil)
		if err != nil {
			return nil, err
		}
		places = append(places, place)
	}
	return places, nil
}

// cosign verifies a message and adds the signer's signatures to it. Those that nobody vouches for are left out.
func cosign(cmd *cobra.Command, f signFlags, signer *jws.Signer) error {
	data, err := readInput(cmd, f.payload.cosign, "the message", maxMessage)
	if err != nil {
		return err
	}
	raw := string(trimLine(data))
	places, err := f.payload.signers(cmd)
	if err != nil {
		return err
	}
	before := verifyFlags{
		raw: true, typ: f.typ, noTyp: f.payload.noType,
		unencoded: f.payload.unencoded, payload: f.payload.file, understand: f.payload.understand,
	}
	message, err := before.verifyWith(cmd, raw, places)
	if err != nil {
		return before.refuse(cmd, before.advised(before.rephrased(err, raw), raw, places, time.Now()))
	}
	if more := len(dissect(raw).signers()) - len(message.Signatures()); more > 0 {
		warn(cmd, "left out %d of the message's signatures, which no --signed-by is for", more)
	}
	cosigned, err := signer.Cosign(cmd.Context(), message)
	if err != nil {
		return err
	}
	return printLine(cmd, cosigned)
}
