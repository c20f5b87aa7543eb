package accounts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jot-auth/jot/server/issuer"
)

// passwordAMR is how somebody who knows a password proved who it is (RFC 8176 §2).
var passwordAMR = []string{"pwd"}

// lookup is what is known about an attempt before its hash is computed.
type lookup struct {
	account Account    // zero where there is none
	want    storedHash // what the password must have; the decoy where there is no account
	device  string     // ID of the known device; "" where there is none
	limits  []limit
	factor  bool // the account demands more than its password
}

// LogIn checks a name and a password, and returns a proof for the account's subject. An unknown name and a wrong
// password are both issuer.ErrInvalidCredentials, take one hash each and count alike. An attempt that comes too soon
// after others that failed is an *issuer.ThrottledError and takes none, whether or not the name exists; too many
// callers are issuer.ErrBusy. Whether the subject is disabled is the issuer's to say. Where the account has a second
// factor a right password is an *issuer.SecondFactorError, from a known device too: see CompleteLogIn.
//
// Attempts count by name and by address. Those from a known device count by account and device alone, so that nobody
// else's guesses delay them. The proof's Confirm fails with issuer.ErrInvalidCredentials when the password was changed
// since it was checked, and gives back what the attempt was counted for: so a login that comes to nothing after all,
// since the subject is disabled, counts like a wrong password. Its device token is good for 400 days.
func (a *Accounts) LogIn(ctx context.Context, name, password string, from issuer.Device) (issuer.Proof, error) {
	found, err := a.lookUp(ctx, name, password, from)
	if err != nil {
		return issuer.Proof{}, err
	}
	who := strangerFrom(from.Address)
	if found.device != "" {
		who = caller{known: true, from: found.account.Subject}
	}
	try, err := a.count(ctx, who, found.limits)
	if err != nil {
		return issuer.Proof{}, err
	}
	try.reset = who.known
	ok, err := a.verify(ctx, who, found.want, password)
	if err != nil {
		a.abandon(ctx, try)
		return issuer.Proof{}, err
	}
	if !ok || found.account.Subject == "" {
		return issuer.Proof{}, issuer.ErrInvalidCredentials
	}
	upgraded, err := a.upgrade(ctx, who, found, password)
	if err != nil {
		a.abandon(ctx, try)
		return issuer.Proof{}, err
	}
	if found.factor {
		return issuer.Proof{}, a.challenge(ctx, found.account, try, upgraded)
	}
	device := found.device
	if device == "" {
		device = newDeviceID()
	}
	return issuer.Proof{
		Subject:     found.account.Subject,
		AMR:         passwordAMR,
		DeviceToken: a.newDeviceToken(device, found.account.Subject, a.config.Now()),
		Confirm:     func(tx issuer.Tx) error { return a.confirmAlone(tx, found.account, try, upgraded) },
	}, nil
}

// confirmAlone is confirmUpgrade for a password that is all that the account demands. Where a second factor has come
// meanwhile whoever asks again learns it.
func (a *Accounts) confirmAlone(t issuer.Tx, checked Account, try attempt, upgraded string) error {
	if err := a.wantNoFactor(t, checked.Subject); err != nil {
		return err
	}
	return a.confirmUpgrade(t, checked, try, upgraded)
}

// wantNoFactor fails with issuer.ErrBusy where a second factor has come that wasn't there when whoever asks was told
// what is demanded.
func (a *Accounts) wantNoFactor(t issuer.Tx, subject string) error {
	if enrolled, err := hasFactor(a.store.AccountsTx(t), subject); err != nil || enrolled {
		return cmp.Or(err, issuer.ErrBusy)
	}
	return nil
}

// upgrade returns the hash that takes the place of one that isn't as a new one would be; "" keeps it.
func (a *Accounts) upgrade(ctx context.Context, who caller, found lookup, password string) (string, error) {
	if found.want.current() {
		return "", nil
	}
	hash, err := a.hash(ctx, who, password)
	if err != nil {
		return "", err
	}
	return hash.String(), nil
}

// confirmUpgrade is confirm, and stores the new hash, if there is one. Where the stored hash has changed meanwhile it
// may be that of the same password, which another login has stored, or of another: nobody can say here, so whoever asks
// again learns it.
func (a *Accounts) confirmUpgrade(t issuer.Tx, checked Account, try attempt, upgraded string) error {
	err := a.confirm(t, checked, try)
	if upgraded == "" {
		return err
	}
	if errors.Is(err, issuer.ErrInvalidCredentials) {
		return issuer.ErrBusy
	}
	if err != nil {
		return err
	}
	return a.store.AccountsTx(t).UpdatePassword(checked.Subject, upgraded)
}

// lookUp finds the account and refuses an attempt that is throttled, in a transaction that only reads: however many are
// refused, they wait for nobody and hold up nobody.
func (a *Accounts) lookUp(ctx context.Context, given, password string, from issuer.Device) (found lookup, err error) {
	parsed, err := parseName(given)
	possible := err == nil && len(password) <= maxPassword
	name := parsed.canonical
	if err != nil {
		name = strings.ToLower(given)
	}
	err = a.store.ViewAccounts(ctx, func(tx Reader) (err error) {
		found = lookup{want: a.decoy}
		if possible {
			found.account, err = tx.AccountByName(name)
		}
		if err != nil && !errors.Is(err, issuer.ErrNotFound) {
			return err
		}
		if found.factor, err = hasFactor(tx, found.account.Subject); err != nil { // asked of nobody, too: it takes as long
			return err
		}
		found.device, found.limits = a.logInLimits(from, name, found.account.Subject)
		return refused(tx, found.limits)
	})
	if err != nil || found.account.Subject == "" {
		return found, err
	}
	found.want, err = found.account.hash()
	return found, err
}

// logInLimits are those of a known device, or else of the name and the address.
func (a *Accounts) logInLimits(from issuer.Device, name, subject string) (device string, limits []limit) {
	device, good := a.openDeviceToken(from.Token, subject, a.config.Now())
	switch {
	case a.config.NoThrottling:
		return device, nil
	case good:
		return device, []limit{{a.slot(byDevice, subject, device), a.config.PerAccount}}
	}
	return "", append(a.addressLimits(from.Address), limit{a.slot(byAccount, name), a.config.PerAccount})
}

// confirm is the Confirm of a proof that account had the password of now.
func (a *Accounts) confirm(t issuer.Tx, checked Account, try attempt) error {
	return a.confirmIn(a.store.AccountsTx(t), checked, try)
}

func (a *Accounts) confirmIn(tx Tx, checked Account, try attempt) error {
	now, err := tx.AccountOfSubject(checked.Subject)
	if errors.Is(err, issuer.ErrNotFound) || err == nil && now.PasswordHash != checked.PasswordHash {
		return issuer.ErrInvalidCredentials
	}
	if err != nil {
		return err
	}
	return try.giveBack(tx)
}

// hash returns the hash that the account's password must have.
func (a Account) hash() (storedHash, error) {
	hash, err := parseStoredHash(a.PasswordHash)
	if err != nil {
		return nil, fmt.Errorf("accounts: stored password of subject %s: %w", a.Subject, err)
	}
	return hash, nil
}
