package accounts

import (
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"
)

// passkeyAlgorithms are those of the keys that are taken, the one that most authenticators have first.
var passkeyAlgorithms = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256},
}

// newRelyingParty is the server as browsers and authenticators know it: by the host and the origin of the issuer's URL,
// whatever a request says. It's nil where that host is an address, for which no browser makes a passkey (WebAuthn Level
// 3 §5.1.3 step 8).
//
// No attestation is asked for: who made an authenticator is of no interest here, and telling it would cost its owner
// privacy.
func newRelyingParty(issuerURL string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(issuerURL)
	if err != nil {
		return nil, err
	}
	host := strings.ToLower(u.Hostname())
	if protocol.ValidateRPID(host) != nil {
		return nil, nil
	}
	return webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: host, RPOrigins: []string{u.Scheme + "://" + strings.ToLower(u.Host)},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
	})
}
