package accounts

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"github.com/jot-auth/jot/server/issuer"
)

const maxUserHandle = 64 // bytes (WebAuthn Level 3 §5.4.3)

// passkeyID is the form of the IDs that this server gives to passkeys.
var passkeyID = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// RelyingPartyID is the host name under which passkeys of an issuer are good; "" where it has none.
func RelyingPartyID(issuerURL string) (string, error) {
	party, err := newRelyingParty(issuerURL)
	if err != nil || party == nil {
		return "", err
	}
	return party.Config.RPID, nil
}

// ImportPasskey gives an account a passkey that it had at another system of the same host name, and the hashes of its
// recovery codes as Export writes them where it's the account's first second factor. It fails with an
// *issuer.InputError, issuer.ErrNotFound where the subject has no account, and issuer.ErrTaken where it has this very
// passkey already.
func (a *Admin) ImportPasskey(ctx context.Context, subject string, f issuer.ForeignPasskey) error {
	p, hashes, err := a.accounts.parseForeignPasskey(subject, f)
	if err != nil {
		return err
	}
	// That nobody has the passkey yet, the passkey, the recovery codes and the event are one commit: of two imports the
	// second finds the first.
	err = a.accounts.issuer.AmendNoting(ctx, subject, issuer.EventPasskeyAdded, p.ID, func(t issuer.Tx) error {
		tx := a.accounts.store.AccountsTx(t)
		if _, err := tx.AccountOfSubject(subject); err != nil {
			return err
		}
		if err := unknown(tx, p); err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		made := p
		if made.Created.IsZero() || made.Created.After(now) {
			made.Created = now
		}
		if made.LastUsed.After(now) {
			made.LastUsed = now
		}
		_, err = addPasskey(tx, made, hashes)
		return err
	})
	if errors.Is(err, issuer.ErrTaken) { // maybe by an import for somebody else, which nobody could see before its commit
		err = a.accounts.store.ViewAccounts(ctx, func(r Reader) error {
			return cmp.Or[error](unknown(r, p), &issuer.InputError{Field: "id", Reason: "is that of another passkey"})
		})
	}
	return err
}

// unknown fails with issuer.ErrTaken for a passkey that its owner has already, and with an *issuer.InputError where
// another one has its credential ID.
func unknown(r Reader, p issuer.Passkey) error {
	found, err := r.PasskeyOfCredential(p.Credential)
	switch {
	case errors.Is(err, issuer.ErrNotFound):
		return nil
	case err != nil:
		return err
	case found.Subject == p.Subject && bytes.Equal(found.PublicKey, p.PublicKey):
		return issuer.ErrTaken
	}
	return &issuer.InputError{Field: "credential_id", Reason: "is that of another passkey"}
}

// parseForeignPasskey judges a passkey as register does one that was made here.
func (a *Accounts) parseForeignPasskey(subject string, f issuer.ForeignPasskey) (p issuer.Passkey, hashes [][sha256.Size]byte, err error) {
	if a.relyingParty == nil {
		return p, nil, &issuer.InputError{Field: "rp_id", Reason: "can't be good: the issuer's URL has no host name, and so there are no passkeys here"}
	}
	if host := a.relyingParty.Config.RPID; f.RelyingParty != host {
		return p, nil, &issuer.InputError{Field: "rp_id", Reason: fmt.Sprintf("must be %s: no browser uses a passkey under another host name than its own", host)}
	}
	p = issuer.Passkey{
		ID: f.ID, Subject: subject, SignCount: f.SignCount, Transports: knownTransports(f.Transports), BackupEligible: f.BackupEligible, BackedUp: f.BackedUp,
		Created: f.Created, LastUsed: f.LastUsed,
	}
	if p.ID == "" {
		p.ID = rand.Text()
	}
	if !passkeyID.MatchString(p.ID) {
		return p, nil, &issuer.InputError{Field: "id", Reason: "must be 26 characters of base32, or absent"}
	}
	if p.BackedUp && !p.BackupEligible {
		return p, nil, &issuer.InputError{Field: "backed_up", Reason: "must be false where backup_eligible is"}
	}
	if p.Name, err = passkeyName(f.Name); err != nil {
		return p, nil, err
	}
	if p.Credential, err = parseBytes("credential_id", f.Credential, 1, maxCredential); err != nil {
		return p, nil, err
	}
	if p.UserHandle, err = parseBytes("user_handle", f.UserHandle, 0, maxUserHandle); err != nil {
		return p, nil, err
	}
	if bytes.Equal(p.UserHandle, userHandle(subject)) {
		p.UserHandle = nil
	}
	if p.PublicKey, err = parseBytes("public_key", f.PublicKey, 1, maxPublicKey); err != nil {
		return p, nil, err
	}
	if err := checkPublicKey(p.PublicKey); err != nil {
		return p, nil, err
	}
	hashes, err = parseRecoveryHashes(f.RecoveryHashes)
	return p, hashes, err
}

// parseBytes reads a member in base64url.
func parseBytes(field, text string, least, most int) ([]byte, error) {
	b, err := decode(text)
	if err != nil || len(b) < least || len(b) > most {
		return nil, &issuer.InputError{Field: field, Reason: fmt.Sprintf("must be %d to %d bytes in base64url, without padding", least, most)}
	}
	return b, nil
}

// checkPublicKey wants a key of an algorithm that is asked for, and all of it.
func checkPublicKey(key []byte) error {
	parsed, err := webauthncose.ParsePublicKey(key)
	var alg int64
	switch k := parsed.(type) {
	case webauthncose.EC2PublicKeyData:
		alg = k.Algorithm
	case webauthncose.OKPPublicKeyData:
		alg = k.Algorithm
	case webauthncose.RSAPublicKeyData:
		alg = k.Algorithm
	}
	offered := func(p protocol.CredentialParameter) bool { return int64(p.Algorithm) == alg }
	if err != nil || !slices.ContainsFunc(passkeyAlgorithms, offered) {
		return &issuer.InputError{Field: "public_key", Reason: "must be a public key for ES256, EdDSA or RS256 in COSE (RFC 9052 §7)"}
	}
	return nil
}
