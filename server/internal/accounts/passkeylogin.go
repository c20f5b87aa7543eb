package accounts

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/jot-auth/jot/server/issuer"
)

// How somebody proved who it is with a passkey (RFC 8176 §2): with a key (pop) that is used in the presence of a person
// (user). Whether it is in hardware nobody knows who asks for no attestation, so it's neither hwk nor swk. By itself it
// counts as two factors, since it was unlocked by a PIN or a body: a login without a password is refused otherwise.
var (
	passkeyAMR            = []string{"pop", "user", "mfa"}
	passwordAndPasskeyAMR = []string{"pwd", "pop", "user", "mfa"}
)

// BeginPasskeyLogIn returns what the browser's navigator.credentials.get is to be called with. Who will log in nobody
// knows yet, so that it's the same for all. browser binds it to a browser, whose answer alone is good; "" where nothing
// tells browsers apart.
func (a *Accounts) BeginPasskeyLogIn(ctx context.Context, browser string) (options json.RawMessage, err error) {
	if a.relyingParty == nil {
		return nil, issuer.ErrNoPasskeys
	}
	err = a.store.ViewAccounts(ctx, func(r Reader) error {
		now, err := r.Now()
		if err != nil {
			return err
		}
		options, err = a.requestOptions(nil, a.newPasskeyChallenge(toLogInWithPasskey(browser), now), protocol.VerificationRequired)
		return err
	})
	return options, err
}

// requestOptions asks for one of some passkeys, or for any.
func (a *Accounts) requestOptions(some []protocol.CredentialDescriptor, challenge passkeyChallenge, uv protocol.UserVerificationRequirement) (json.RawMessage, error) {
	request, _, err := a.relyingParty.BeginDiscoverableLogin(webauthn.WithChallenge(challenge), webauthn.WithAllowedCredentials(some), webauthn.WithUserVerification(uv))
	if err != nil {
		return nil, err
	}
	return json.Marshal(request)
}

// LogInWithPasskey takes the authenticator's answer to BeginPasskeyLogIn of the same browser: a login without a
// password. The challenge is good once, for ten minutes. A passkey that nobody knows and one that proves nothing are
// the same issuer.ErrPasskey, and count by address; one whose counter went back is refused too, and an event tells. It
// fails with issuer.ErrCode for an answer to a challenge that isn't good, an *issuer.InputError for what is no answer,
// and an *issuer.ThrottledError; so may the proof's Confirm, which uses the challenge up.
func (a *Accounts) LogInWithPasskey(ctx context.Context, browser string, answer []byte, from issuer.Device) (issuer.Proof, error) {
	parsed, challenge, err := parseAssertion(answer)
	if err != nil {
		return issuer.Proof{}, err
	}
	if a.relyingParty == nil {
		return issuer.Proof{}, issuer.ErrNoPasskeys
	}
	asked := func(r Reader) (string, error) {
		return "", a.checkPasskeyChallenge(r, challenge, toLogInWithPasskey(browser))
	}
	if _, err := view(ctx, a.store, asked); err != nil { // no row for who answers what wasn't asked
		return issuer.Proof{}, err
	}
	try, err := a.charge(ctx, a.passkeyLimits(from))
	if err != nil {
		return issuer.Proof{}, err
	}
	if len(parsed.Response.UserHandle) == 0 { // it isn't one that names its owner (WebAuthn Level 3 §7.2 step 6)
		return issuer.Proof{}, issuer.ErrPasskey
	}
	used, err := a.verifyPasskey(ctx, parsed, challenge, asked, protocol.VerificationRequired)
	if err != nil {
		return issuer.Proof{}, a.passkeyFailed(ctx, try, err)
	}
	return a.passkeyProof(used, passkeyAMR, from, func(tx Tx) error {
		if err := try.giveBack(tx); err != nil { // slots before tickets, as everywhere: see insertTicket
			return err
		}
		return challenge.spend(tx, used.Subject)
	}), nil
}

// CompleteWithPasskey is CompleteLogIn with an authenticator's answer to the Passkey of an *issuer.SecondFactorError,
// rather than a code. It fails as that does, and with issuer.ErrPasskey for an answer that proves nothing.
func (a *Accounts) CompleteWithPasskey(ctx context.Context, ticket string, answer []byte, from issuer.Device) (issuer.Proof, error) {
	parsed, challenge, err := parseAssertion(answer)
	if err != nil {
		return issuer.Proof{}, err
	}
	if a.relyingParty == nil {
		return issuer.Proof{}, issuer.ErrNoPasskeys
	}
	asked := func(r Reader) (string, error) {
		k, err := findTicket(r, ToLogIn, ticket)
		if err == nil {
			_, err = challenged(r, k)
		}
		if err != nil {
			return "", err
		}
		return k.Subject, a.checkPasskeyChallenge(r, challenge, toCompleteWithPasskey(ticket))
	}
	subject, err := view(ctx, a.store, asked)
	if err != nil {
		return issuer.Proof{}, err
	}
	try, err := a.charge(ctx, a.codeLimits(subject, from))
	if err != nil {
		return issuer.Proof{}, err
	}
	used, err := a.verifyPasskey(ctx, parsed, challenge, asked, protocol.VerificationPreferred)
	if err != nil {
		return issuer.Proof{}, a.passkeyFailed(ctx, try, err)
	}
	return a.passkeyProof(used, passwordAndPasskeyAMR, from, func(tx Tx) error {
		k, err := useTicket(tx, ToLogIn, ticket) // the challenge was for this ticket alone, and goes with it
		if err == nil {
			_, err = challenged(tx, k)
		}
		if err != nil {
			return err
		}
		return try.giveBack(tx)
	}), nil
}

// passkeyFailed gives an attempt back that failed for another reason than the answer.
func (a *Accounts) passkeyFailed(ctx context.Context, try attempt, err error) error {
	if !errors.Is(err, issuer.ErrPasskey) {
		a.abandon(ctx, try)
	}
	return err
}

// verifyPasskey judges an answer (WebAuthn Level 3 §7.2), and answers the passkey as it's left by it. asked says
// whether the challenge is still good, and whose answer it wants, "" being anybody's. It's asked in the one state of
// the database in which the counter is read: an answer that was used is no clone's.
func (a *Accounts) verifyPasskey(ctx context.Context, parsed *protocol.ParsedCredentialAssertionData, challenge passkeyChallenge, asked func(Reader) (string, error), uv protocol.UserVerificationRequirement) (issuer.Passkey, error) {
	found, err := view(ctx, a.store, func(r Reader) (issuer.Passkey, error) {
		subject, err := asked(r)
		if err != nil {
			return issuer.Passkey{}, err
		}
		p, err := r.PasskeyOfCredential(parsed.RawID)
		if errors.Is(err, issuer.ErrNotFound) || err == nil && subject != "" && p.Subject != subject {
			err = issuer.ErrPasskey
		}
		return p, err
	})
	if err != nil {
		return issuer.Passkey{}, err
	}
	owner := passkeyOwner{Account{Subject: found.Subject}, []issuer.Passkey{found}, found.UserHandle}
	c, err := a.relyingParty.ValidateLogin(owner, a.ceremonyOf(owner, challenge, uv), parsed)
	if err != nil {
		return issuer.Passkey{}, issuer.ErrPasskey
	}
	if c.Authenticator.CloneWarning {
		// The event is a commit of its own: the login that it tells of comes to nothing.
		err := a.issuer.AmendNoting(ctx, found.Subject, issuer.EventPasskeyCloned, found.ID, func(issuer.Tx) error { return nil })
		if err == nil {
			err = issuer.ErrPasskey
		}
		return issuer.Passkey{}, err
	}
	found.SignCount, found.BackedUp = c.Authenticator.SignCount, c.Flags.BackupState
	return found, nil
}

// passkeyProof is the proof that somebody has a passkey. Confirm also does with, in the same transaction.
func (a *Accounts) passkeyProof(used issuer.Passkey, amr []string, from issuer.Device, with func(Tx) error) issuer.Proof {
	return issuer.Proof{
		Subject:     used.Subject,
		AMR:         amr,
		DeviceToken: a.renewDeviceToken(from.Token, used.Subject),
		Confirm: func(t issuer.Tx) error {
			tx := a.store.AccountsTx(t)
			if err := with(tx); err != nil {
				return err
			}
			return usePasskey(tx, used)
		},
	}
}

// usePasskey notes that a passkey was used, if it's still there. Where its counter has been shown by another login
// meanwhile, whoever asks again learns what that means.
func usePasskey(tx Tx, used issuer.Passkey) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	if _, err := tx.PasskeyOfCredential(used.Credential); errors.Is(err, issuer.ErrNotFound) {
		return issuer.ErrPasskey
	} else if err != nil {
		return err
	}
	used.LastUsed = now
	err = tx.UsePasskey(used)
	if errors.Is(err, issuer.ErrNotFound) {
		return issuer.ErrBusy
	}
	return err
}
