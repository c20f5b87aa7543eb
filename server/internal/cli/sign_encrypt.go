package cli

import (
	"encoding/json"
	"errors"

	"github.com/jot-auth/jot/jwe"
	"github.com/spf13/cobra"
)

// sealingFlags are the flags of jot sign for a token that is encrypted as well.
type sealingFlags struct {
	file, enc string
	zip       bool
	repeat    []string
	party     partyFlags
}

func (f *sealingFlags) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "encrypt", "", "encrypt the token for the key in `FILE`; what follows is for that")
	flags.StringVar(&f.enc, "enc", contentEncryptions[0], "encrypt with `ENC`: "+list(contentEncryptions))
	flags.BoolVar(&f.zip, "zip", false, "compress: the length then tells something of the claims")
	flags.StringSliceVar(&f.repeat, "repeat", nil, "repeat claims where everybody can read them, a comma-separated `LIST` of "+list(flagWords["repeat"]))
	f.party.addFlags(cmd)
}

// check refuses flags without --encrypt, and names that aren't offered.
func (f sealingFlags) check(cmd *cobra.Command) error {
	if f.file == "" {
		return refuseFlags(cmd, []string{"enc", "zip", "repeat", "apu", "apv"}, "goes with --encrypt FILE")
	}
	return errors.Join(checkNames("enc", []string{f.enc}, contentEncryptions), checkNames("repeat", f.repeat, flagWords["repeat"]))
}

// encrypter is for the one recipient.
func (f sealingFlags) encrypter(cmd *cobra.Command, claims map[string]json.RawMessage) (*jwe.Encrypter, error) {
	key, err := recipientKey(cmd, f.file, forNesting, nil)
	if err != nil {
		return nil, err
	}
	header, err := repeated(f.repeat, claims)
	if err := errors.Join(err, f.party.check(key)); err != nil {
		return nil, err
	}
	return jwe.NewEncrypter(encryptionFor(cmd, f.enc, key), jwe.EncrypterOptions{
		Header: header, Compress: f.zip, PartyU: []byte(f.party.sender), PartyV: []byte(f.party.recipient),
	}, key)
}

// repeated are the claims that a header repeats, for whoever can't read what is encrypted (RFC 7519 §5.3).
func repeated(names []string, claims map[string]json.RawMessage) (map[string]any, error) {
	var header map[string]any
	for _, name := range names {
		value, stated := claims[name]
		if !stated {
			return nil, usagef("--repeat %s: there is no such claim", name)
		}
		if header == nil {
			header = map[string]any{}
		}
		header[name] = value
	}
	return header, nil
}
