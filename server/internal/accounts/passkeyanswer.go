package accounts

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/strictjson"
)

// An authenticator's answer comes as browsers write it: what PublicKeyCredential.toJSON gives (WebAuthn Level 3 §5.1,
// RegistrationResponseJSON and AuthenticationResponseJSON). It's read strictly here, and the library gets nothing of it
// but what counts.

// answerJSON is what both kinds of answers have. No extension was asked for, and the attachment is the browser's word:
// neither counts.
type answerJSON struct {
	ID         encoded         `json:"id"`
	RawID      encoded         `json:"rawId"`
	Type       string          `json:"type"`
	Attachment *string         `json:"authenticatorAttachment"`
	Extensions json.RawMessage `json:"clientExtensionResults"`
}

type attestationJSON struct {
	answerJSON
	Response struct {
		ClientData        encoded         `json:"clientDataJSON"`
		Object            encoded         `json:"attestationObject"`
		Transports        []string        `json:"transports"`
		AuthenticatorData json.RawMessage `json:"authenticatorData"` // the attestation object has it, like the next two
		PublicKey         json.RawMessage `json:"publicKey"`
		Algorithm         json.RawMessage `json:"publicKeyAlgorithm"`
	} `json:"response"`
}

type assertionJSON struct {
	answerJSON
	Response struct {
		ClientData        encoded  `json:"clientDataJSON"`
		AuthenticatorData encoded  `json:"authenticatorData"`
		Signature         encoded  `json:"signature"`
		UserHandle        *encoded `json:"userHandle"` // null where the authenticator doesn't know
	} `json:"response"`
}

var errAnswer = &issuer.InputError{Field: "credential", Reason: "must be what PublicKeyCredential.toJSON gives (WebAuthn Level 3 §5.1)"}

// encoded is the one base64url text of its bytes.
type encoded []byte

// UnmarshalJSON implements json.Unmarshaler.
func (e *encoded) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	b, err := decode(text)
	*e = b
	return err
}

func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") { // which Go skips
		return nil, errors.New("a line break in base64url")
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}

// parseAttestation reads the answer of an authenticator that has made a key pair, or fails with an *issuer.InputError.
func parseAttestation(text []byte) (*protocol.ParsedCredentialCreationData, passkeyChallenge, error) {
	var answer attestationJSON
	if err := strictjson.UnmarshalKnown(text, &answer); err != nil {
		return nil, nil, errAnswer
	}
	challenge, err := challengeOf(answer.Response.ClientData)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := protocol.CredentialCreationResponse{
		PublicKeyCredential: answer.common(),
		AttestationResponse: protocol.AuthenticatorAttestationResponse{
			AuthenticatorResponse: protocol.AuthenticatorResponse{ClientDataJSON: protocol.URLEncodedBase64(answer.Response.ClientData)},
			AttestationObject:     protocol.URLEncodedBase64(answer.Response.Object), Transports: knownTransports(answer.Response.Transports),
		},
	}.Parse()
	if err != nil {
		return nil, nil, errAnswer
	}
	return parsed, challenge, nil
}

// parseAssertion reads the answer of an authenticator that has signed, or fails with an *issuer.InputError.
func parseAssertion(text []byte) (*protocol.ParsedCredentialAssertionData, passkeyChallenge, error) {
	var answer assertionJSON
	if err := strictjson.UnmarshalKnown(text, &answer); err != nil {
		return nil, nil, errAnswer
	}
	challenge, err := challengeOf(answer.Response.ClientData)
	if err != nil {
		return nil, nil, err
	}
	response := protocol.AuthenticatorAssertionResponse{
		AuthenticatorResponse: protocol.AuthenticatorResponse{ClientDataJSON: protocol.URLEncodedBase64(answer.Response.ClientData)},
		AuthenticatorData:     protocol.URLEncodedBase64(answer.Response.AuthenticatorData), Signature: protocol.URLEncodedBase64(answer.Response.Signature),
	}
	if handle := answer.Response.UserHandle; handle != nil {
		response.UserHandle = protocol.URLEncodedBase64(*handle)
	}
	parsed, err := protocol.CredentialAssertionResponse{PublicKeyCredential: answer.common(), AssertionResponse: response}.Parse()
	if err != nil {
		return nil, nil, errAnswer
	}
	return parsed, challenge, nil
}

func (a *answerJSON) common() protocol.PublicKeyCredential {
	return protocol.PublicKeyCredential{
		Credential: protocol.Credential{ID: base64.RawURLEncoding.EncodeToString(a.ID), Type: a.Type}, RawID: protocol.URLEncodedBase64(a.RawID),
	}
}

// challengeOf reads the challenge that an answer is for. Browsers may add members to the client data (WebAuthn Level 3
// §5.8.1), but none twice.
func challengeOf(clientData []byte) (passkeyChallenge, error) {
	var data struct {
		Challenge encoded `json:"challenge"`
	}
	if err := strictjson.Unmarshal(clientData, &data); err != nil {
		return nil, errAnswer
	}
	return passkeyChallenge(data.Challenge), nil
}

// knownTransports leaves out what no browser would understand when it comes back.
func knownTransports(given []string) []string {
	var known []string
	for _, t := range []protocol.AuthenticatorTransport{protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard, protocol.Hybrid, protocol.Internal} {
		if slices.Contains(given, string(t)) {
			known = append(known, string(t))
		}
	}
	return known
}
