package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	maxPasskeys    = 20   // of an account
	maxPasskeyName = 64   // characters
	maxCredential  = 1023 // bytes of a credential ID (WebAuthn Level 3 §7.1 step 25)
	maxPublicKey   = 1024 // bytes: as many as an RSA key of 4096 bits has, and more
)

var errTooManyPasskeys = &issuer.InputError{Field: "passkey", Reason: "is one too many: an account has at most 20; remove one first"}

// EnrolPasskey begins to give an account a passkey, and answers what the browser's navigator.credentials.create is to
// be called with. Attempts at the password count as those of ChangePassword, and it fails as that does, and with an
// *issuer.InputError where there are as many passkeys as may be.
func (a *Accounts) EnrolPasskey(ctx context.Context, subject, password string, from issuer.Device) (options json.RawMessage, err error) {
	if a.relyingParty == nil {
		return nil, issuer.ErrNoPasskeys
	}
	account, try, err := a.reauthenticate(ctx, subject, password, from)
	if err != nil {
		return nil, err
	}
	// That the password is still right and giving back its attempt are one commit: the challenge dies with a password
	// that was changed meanwhile.
	err = a.store.UpdateAccounts(ctx, func(tx Tx) error {
		if err := a.confirmIn(tx, account, try); err != nil {
			return err
		}
		now, err1 := tx.Now()
		passkeys, err2 := tx.Passkeys(subject)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if len(passkeys) >= maxPasskeys {
			return errTooManyPasskeys
		}
		options, err = a.creationOptions(passkeyOwner{account: account, passkeys: passkeys}, a.newPasskeyChallenge(toAddPasskey(account), now))
		return err
	})
	return options, err
}

// creationOptions names the passkeys that there are, so that no authenticator makes a second one.
func (a *Accounts) creationOptions(owner passkeyOwner, challenge passkeyChallenge) (json.RawMessage, error) {
	creation, _, err := a.relyingParty.BeginRegistration(owner, webauthn.WithCredentialParameters(passkeyAlgorithms), webauthn.WithExclusions(owner.descriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = protocol.URLEncodedBase64(challenge)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return json.Marshal(creation)
}

// ConfirmPasskey takes the authenticator's answer to EnrolPasskey. From then on no password alone logs in. Where it's
// the account's first second factor the recovery codes are answered, this one time. It fails with issuer.ErrCode for an
// answer to a challenge that isn't good, issuer.ErrPasskey for one that proves nothing, issuer.ErrTaken for a passkey
// that is known, an *issuer.InputError for a name or an answer that is none, and an *issuer.ThrottledError.
func (a *Accounts) ConfirmPasskey(ctx context.Context, subject, name string, answer []byte, from issuer.Device) (made issuer.Passkey, codes []string, err error) {
	if name, err = passkeyName(name); err != nil {
		return made, nil, err
	}
	parsed, challenge, err := parseAttestation(answer)
	if err != nil {
		return made, nil, err
	}
	account, err := a.checkChallenged(ctx, subject, challenge)
	if err != nil {
		return made, nil, err
	}
	try, err := a.charge(ctx, a.passkeyLimits(from))
	if err != nil {
		return made, nil, err
	}
	if made, err = a.register(parsed, challenge, account); err != nil {
		return made, nil, err
	}
	made.Name = name
	fresh, hashes := newRecoveryCodes(subject)
	// That the password still is what it was, the challenge's use, the bound, the passkey, the recovery codes and the
	// event are one commit: of two that are added at once one is the first, and has the codes that count, and one
	// answer adds nothing twice.
	err = a.issuer.AmendNoting(ctx, subject, issuer.EventPasskeyAdded, made.ID, func(t issuer.Tx) error {
		tx := a.store.AccountsTx(t)
		if err := a.confirmIn(tx, account, try); err != nil {
			return err
		}
		if err := challenge.spend(tx, subject); err != nil {
			return err
		}
		if made.Created, err = tx.Now(); err != nil {
			return err
		}
		first, err := addPasskey(tx, made, hashes)
		if codes = nil; first {
			codes = fresh
		}
		return err
	})
	if err != nil {
		a.abandon(ctx, try)
	}
	if errors.Is(err, issuer.ErrInvalidCredentials) { // the challenge has died with the password
		err = issuer.ErrCode
	}
	if err != nil {
		return issuer.Passkey{}, nil, err
	}
	a.tellOwner(subject, "passkeyadded")
	return made, codes, nil
}

// checkChallenged finds the account that a challenge to add a passkey was given to, or fails with issuer.ErrCode.
func (a *Accounts) checkChallenged(ctx context.Context, subject string, challenge passkeyChallenge) (Account, error) {
	if a.relyingParty == nil {
		return Account{}, issuer.ErrNoPasskeys
	}
	return view(ctx, a.store, func(r Reader) (Account, error) {
		account, err := r.AccountOfSubject(subject)
		if err != nil {
			return Account{}, err
		}
		return account, a.checkPasskeyChallenge(r, challenge, toAddPasskey(account))
	})
}

// register judges what an authenticator made (WebAuthn Level 3 §7.1). Of the statements that may come without being
// asked for, those of the browser itself and of the very key are taken; the rest has certificates of which nobody here
// wants to know.
func (a *Accounts) register(parsed *protocol.ParsedCredentialCreationData, challenge passkeyChallenge, account Account) (issuer.Passkey, error) {
	format := protocol.AttestationFormat(parsed.Response.AttestationObject.Format)
	if format != protocol.AttestationFormatNone && format != protocol.AttestationFormatPacked {
		return issuer.Passkey{}, issuer.ErrPasskey
	}
	owner := passkeyOwner{account: account}
	session := a.ceremonyOf(owner, challenge, protocol.VerificationRequired)
	session.CredParams = passkeyAlgorithms
	c, err := a.relyingParty.CreateCredential(owner, session, parsed)
	if err != nil || len(c.ID) > maxCredential || len(c.PublicKey) > maxPublicKey {
		return issuer.Passkey{}, issuer.ErrPasskey
	}
	if _, err := webauthncose.ParsePublicKey(c.PublicKey); err != nil {
		return issuer.Passkey{}, issuer.ErrPasskey
	}
	made := issuer.Passkey{
		ID: rand.Text(), Subject: account.Subject, Credential: c.ID, PublicKey: c.PublicKey, SignCount: c.Authenticator.SignCount,
		BackupEligible: c.Flags.BackupEligible, BackedUp: c.Flags.BackupState,
	}
	for _, t := range c.Transport {
		made.Transports = append(made.Transports, string(t))
	}
	return made, nil
}

// addPasskey stores a passkey, and the hashes of recovery codes where it's the account's first second factor.
func addPasskey(tx Tx, p issuer.Passkey, hashes [][sha256.Size]byte) (first bool, err error) {
	before, err := tx.Passkeys(p.Subject)
	if err != nil {
		return false, err
	}
	if len(before) >= maxPasskeys {
		return false, errTooManyPasskeys
	}
	if first, err = bringRecoveryCodes(tx, p.Subject, hashes); err != nil {
		return false, err
	}
	return first, tx.InsertPasskey(p)
}

// RenamePasskey calls a passkey of a subject something else. It fails with issuer.ErrNotFound, and an
// *issuer.InputError for a name that is none.
func (a *Accounts) RenamePasskey(ctx context.Context, subject, id, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	return a.issuer.AmendNoting(ctx, subject, issuer.EventPasskeyRenamed, id, func(t issuer.Tx) error {
		return a.store.AccountsTx(t).RenamePasskey(subject, id, name)
	})
}

// RemovePasskey takes a passkey away from a subject's account, and with the last of its second factors the recovery
// codes. It fails with issuer.ErrNotFound. Whoever asks for it has just logged in with two factors.
func (a *Accounts) RemovePasskey(ctx context.Context, subject, id string) error {
	// The passkey, the recovery codes and the event are one commit: of two that take away the last two at once, the
	// second takes the codes.
	err := a.issuer.AmendNoting(ctx, subject, issuer.EventPasskeyRemoved, id, func(t issuer.Tx) error {
		tx := a.store.AccountsTx(t)
		if err := tx.DeletePasskey(subject, id); err != nil {
			return err
		}
		return dropRecoveryCodes(tx, subject)
	})
	if err == nil {
		a.tellOwner(subject, "factorremoved")
	}
	return err
}

// passkeyName is a name as it's stored.
func passkeyName(given string) (string, error) {
	name := strings.TrimSpace(given)
	if name == "" || utf8.RuneCountInString(name) > maxPasskeyName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return "", &issuer.InputError{Field: "name", Reason: "must be 1 to 64 characters on one line"}
	}
	return name, nil
}

// passkeyLimits bound answers of authenticators by where they come from. Nobody guesses a signature, so that the
// account has no count: whoever knows which passkey somebody has could use it up.
func (a *Accounts) passkeyLimits(from issuer.Device) []limit {
	if a.config.NoThrottling {
		return nil
	}
	return a.addressLimits(from.Address)
}
