package accounts

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/jot-auth/jot/server/issuer"
)

// passkeyOwner is an account as the library wants it, with those of its passkeys that count.
type passkeyOwner struct {
	account  Account
	passkeys []issuer.Passkey
	handle   []byte // of another system; empty: ours
}

// userHandle is what authenticators know a subject by. It tells nothing of the person (WebAuthn Level 3 §14.6.1), and
// is the same wherever the subject is taken.
func userHandle(subject string) []byte {
	message := binary.BigEndian.AppendUint32([]byte("jot: user handle"), uint32(len(subject)))
	sum := sha256.Sum256(append(message, subject...))
	return sum[:]
}

// UserHandle is what the authenticator of a passkey calls its owner.
func UserHandle(p issuer.Passkey) []byte {
	if len(p.UserHandle) > 0 {
		return p.UserHandle
	}
	return userHandle(p.Subject)
}

// WebAuthnID implements webauthn.User.
func (o passkeyOwner) WebAuthnID() []byte {
	if len(o.handle) > 0 {
		return o.handle
	}
	return userHandle(o.account.Subject)
}

// WebAuthnName implements webauthn.User.
func (o passkeyOwner) WebAuthnName() string { return o.account.Shown() }

// WebAuthnDisplayName implements webauthn.User.
func (o passkeyOwner) WebAuthnDisplayName() string { return o.account.Shown() }

// WebAuthnCredentials implements webauthn.User.
func (o passkeyOwner) WebAuthnCredentials() []webauthn.Credential {
	var all []webauthn.Credential
	for _, p := range o.passkeys {
		c := webauthn.Credential{
			ID: p.Credential, PublicKey: p.PublicKey, Authenticator: webauthn.Authenticator{SignCount: p.SignCount},
			Flags: webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: p.BackupEligible, BackupState: p.BackedUp},
		}
		for _, t := range p.Transports {
			c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
		}
		all = append(all, c)
	}
	return all
}

// descriptors name the passkeys to a browser.
func (o passkeyOwner) descriptors() []protocol.CredentialDescriptor {
	return webauthn.Credentials(o.WebAuthnCredentials()).CredentialDescriptors()
}

// ceremonyOf is what the library remembers of a ceremony, which is all in the challenge here.
func (a *Accounts) ceremonyOf(owner passkeyOwner, challenge passkeyChallenge, uv protocol.UserVerificationRequirement) webauthn.SessionData {
	return webauthn.SessionData{Challenge: challenge.text(), RelyingPartyID: a.relyingParty.Config.RPID, UserID: owner.WebAuthnID(), UserVerification: uv}
}
