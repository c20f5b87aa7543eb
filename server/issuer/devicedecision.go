package issuer

import (
	"context"
	"errors"
	"slices"
)

// DeviceAsk is what a waiting device asks somebody for.
type DeviceAsk struct {
	Code     string // hash of the device code, by which a DeviceAnswer names it
	Client   Client
	Resource Resource
	Scope    []string // that the client will get
	Subject  string   // who is signed in
}

// DeviceAnswer is what somebody says to what a page has shown.
type DeviceAnswer struct {
	Code    string   // of the DeviceAsk
	Subject string   // whom the page asked
	Scope   []string // that it showed
	Allow   bool
}

// FindDevice finds the device that waits with a user code, as ParseUserCode returns it, for who is signed in with a
// secret. It fails with ErrNotFound when nobody is, and with ErrUserCode.
func (i *Issuer) FindDevice(ctx context.Context, signIn, userCode string) (ask DeviceAsk, err error) {
	err = i.store.View(ctx, func(r Reader) error {
		now, err := r.Now()
		if err != nil {
			return err
		}
		if _, _, err := signedIn(r, signIn, now); err != nil {
			return err
		}
		code, err := r.DeviceCodeByUser(secretHash(userCode))
		if errors.Is(err, ErrNotFound) {
			return ErrUserCode
		}
		if err == nil {
			_, _, ask, err = moment{i, now}.askOf(r, code, signIn)
		}
		return err
	})
	return ask, err
}

// AnswerDevice decides on a device's request, once. It fails with ErrNotFound when nobody is signed in, with
// ErrUserCode when the request doesn't wait any more, and with ErrPending when it isn't what the page showed, or not to
// whom.
func (i *Issuer) AnswerDevice(ctx context.Context, signIn string, a DeviceAnswer) error {
	// That the device waits, who is signed in and the decision are one commit: of two decisions the second finds the
	// first, and a poll sees none or all of it. A logout or a ban comes before, and nobody is signed in, or after, and
	// then the decision names a generation that is over.
	return i.commit(ctx, func(u *update) error {
		code, err := u.DeviceCode(a.Code)
		if errors.Is(err, ErrNotFound) {
			return ErrUserCode
		}
		if err != nil {
			return err
		}
		by, subject, ask, err := u.askOf(u, code, signIn)
		if err != nil {
			return err
		}
		if ask.Subject != a.Subject || !slices.Equal(ask.Scope, a.Scope) {
			return ErrPending
		}
		if code.Decision = DeviceDenied; a.Allow {
			code.Decision, code.Scope = DeviceAllowed, ask.Scope
			code.Subject, code.Generation, code.AMR, code.AuthTime = subject.ID, subject.Generation, by.AMR, by.AuthTime
		}
		if err := u.UpdateDeviceCode(code); err != nil || !a.Allow {
			return err
		}
		return u.audit(EventDeviceAllowed, Event{Subject: subject.ID, ClientID: code.ClientID, Detail: code.Resource + ": " + join(code.Scope)})
	})
}

// askOf is what a device code asks of who is signed in, as client, resource and subject are now.
func (m moment) askOf(r Reader, code DeviceCode, secret string) (SignIn, Subject, DeviceAsk, error) {
	refuse := func(err error) (SignIn, Subject, DeviceAsk, error) { return SignIn{}, Subject{}, DeviceAsk{}, err }
	by, subject, err := signedIn(r, secret, m.now)
	if err != nil {
		return refuse(err)
	}
	if !m.now.Before(code.Expires) || code.Decision != DeviceWaits {
		return refuse(ErrUserCode)
	}
	client, resource, err := m.partiesOf(r, code.ClientID, code.Resource, code.Issued)
	if errors.Is(err, ErrInvalidGrant) || errors.Is(err, ErrInvalidClient) || err == nil && !client.DeviceGrant {
		return refuse(ErrUserCode)
	}
	if err != nil {
		return refuse(err)
	}
	scope, err := authorizedScope(code.Scope, client, resource, &subject)
	if errors.Is(err, ErrInvalidScope) {
		err = ErrUserCode // the client or the resource has lost it since
	}
	return by, subject, DeviceAsk{Code: code.Hash, Client: client.clone(), Resource: resource.clone(), Scope: scope, Subject: subject.ID}, err
}
