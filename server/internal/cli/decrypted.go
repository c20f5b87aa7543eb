package cli

import (
	"encoding/base64"
	"encoding/json"

	"github.com/jot-auth/jot/jwe"
	"github.com/spf13/cobra"
)

// decrypted is the object that jot decrypt --json prints; scripts rely on it. What is bytes is in base64url.
type decrypted struct {
	Decrypted bool `json:"decrypted"`

	Algorithm  jwe.Algorithm   `json:"alg,omitempty"`
	Encryption jwe.Encryption  `json:"enc,omitempty"`
	KeyID      string          `json:"key_id,omitempty"`
	Header     json.RawMessage `json:"header,omitempty"` // protected
	Additional string          `json:"aad,omitempty"`
	PartyU     string          `json:"apu,omitempty"`
	PartyV     string          `json:"apv,omitempty"`
	Plaintext  *string         `json:"plaintext,omitempty"`

	Error  string `json:"error,omitempty"`
	Detail string `json:"detail,omitempty"`
}

func newDecrypted(m *jwe.Message) decrypted {
	encode := base64.RawURLEncoding.EncodeToString
	plaintext := encode(m.Plaintext())
	return decrypted{
		Decrypted: true, Algorithm: m.Algorithm(), Encryption: m.Encryption(), KeyID: m.KeyID(), Header: m.Protected(),
		Additional: encode(m.Additional()), PartyU: encode(m.PartyU()), PartyV: encode(m.PartyV()), Plaintext: &plaintext,
	}
}

// printUndecrypted prints a refusal, and gives its exit code. An error that says nothing about the message stays as it
// is.
func printUndecrypted(cmd *cobra.Command, err error) error {
	refused, ok := rejection(err)
	if !ok {
		return err
	}
	if err := printObject(cmd, decrypted{Error: refused.Error, Detail: refused.Detail}); err != nil {
		return err
	}
	return &statusError{code: refused.exitCode()}
}
