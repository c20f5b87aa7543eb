package cli

import (
	"slices"
	"strings"

	"github.com/jot-auth/jot/jwe"
	"github.com/spf13/cobra"
)

// headerFlags are further members of a protected header.
type headerFlags struct{ members []string }

func (f *headerFlags) addFlags(cmd *cobra.Command, usage string) {
	cmd.Flags().StringArrayVar(&f.members, "header", nil, usage)
}

// flaggedMembers are those that say how to read what follows: flags and keys set them. Their letter case doesn't
// matter, for some readers ignore it.
var flaggedMembers = []string{"alg", "kid", "typ", "crit", "b64", "enc", "zip"}

// read returns the members by their names; nil for none.
func (f headerFlags) read() (map[string]any, error) {
	var header map[string]any
	for _, text := range f.members {
		name, value, _, err := parseMember("a header member", text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(flaggedMembers, func(own string) bool { return strings.EqualFold(own, name) }) {
			return nil, usagef("--header sets further members: %q comes of the key or of a flag of its own", name)
		}
		if _, taken := header[name]; taken {
			return nil, usagef("header member %q is given twice", name)
		}
		if header == nil {
			header = map[string]any{}
		}
		header[name] = value
	}
	return header, nil
}

// partyFlags are what goes into the key that an ECDH-ES algorithm derives (RFC 7518 §4.6.1). Both are in the header for
// everybody to read.
type partyFlags struct{ sender, recipient string }

func (f *partyFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.sender, "apu", "", "`TEXT` about the sender for ECDH-ES, where a protocol asks for it")
	cmd.Flags().StringVar(&f.recipient, "apv", "", "`TEXT` about the recipient, like --apu")
}

// maxParty is what the library takes of each, in bytes.
const maxParty = 512

// check refuses them for recipients whose algorithms give them no meaning.
func (f partyFlags) check(keys ...jwe.EncryptionKey) error {
	agrees := func(key jwe.EncryptionKey) bool {
		return strings.HasPrefix(string(key.Algorithm()), string(jwe.ECDH_ES))
	}
	if max(len(f.sender), len(f.recipient)) > maxParty {
		return usagef("--apu and --apv have at most %d bytes", maxParty)
	}
	if f.sender+f.recipient != "" && !slices.ContainsFunc(keys, agrees) {
		return usagef("--apu and --apv are for a recipient with an ECDH-ES key")
	}
	return nil
}
