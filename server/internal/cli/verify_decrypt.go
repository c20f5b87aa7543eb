package cli

import (
	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
	"github.com/spf13/cobra"
)

// openingFlags are the flags of jot verify for a token that is encrypted.
type openingFlags struct {
	file        string
	encryptions []string
	zip         bool
}

func (f *openingFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "decrypt", "", "decrypt the token with the private or symmetric key in `FILE` first; what follows is for that")
	cmd.Flags().StringSliceVar(&f.encryptions, "enc", nil, acceptedEncUsage)
	cmd.Flags().BoolVar(&f.zip, "zip", false, "accept a compressed token, of at most 250 KiB when inflated")
}

func (f openingFlags) check(cmd *cobra.Command) error {
	if f.file == "" {
		return refuseFlags(cmd, []string{"enc", "zip"}, "goes with --decrypt FILE")
	}
	return checkNames("enc", f.encryptions, contentEncryptions)
}

// open decrypts a token and verifies what was in it.
func (f openingFlags) open(cmd *cobra.Command, verifier *jot.Verifier, raw string) (*jot.Token, error) {
	keys, err := decryptionKeys(cmd, f.file, forNesting, nil)
	if err != nil {
		return nil, err
	}
	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{Encryptions: encryptionsOf(f.encryptions), Decompress: f.zip}, keys...)
	if err != nil {
		return nil, err
	}
	return decrypter.OpenToken(cmd.Context(), verifier, raw)
}
