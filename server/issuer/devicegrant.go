package issuer

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// The answers to a device that asks while there are no tokens for it (RFC 8628 §3.5).
var (
	// ErrAuthorizationPending is a device code on which nobody has decided yet.
	ErrAuthorizationPending = errors.New("issuer: nobody has decided yet; ask again after the interval")
	// ErrSlowDown is ErrAuthorizationPending to a device that asks too often: its interval has grown by 5 s.
	ErrSlowDown = errors.New("issuer: nobody has decided yet; leave 5 s more between requests")
	// ErrAccessDenied is a device code that somebody has denied.
	ErrAccessDenied = errors.New("issuer: the request was denied")
	// ErrExpiredCode is a device code that has expired: the device begins anew.
	ErrExpiredCode = errors.New("issuer: the device code has expired")
)

// pollTolerance is what a request may come too early, since the way that it takes is sometimes shorter.
const pollTolerance = time.Second

// DeviceGrant trades a device code.
type DeviceGrant struct {
	DeviceCode string
	ClientID   string // that has proved who it is; must be the one that the code was given to

	KeyThumbprint string // of the key that the request's DPoP proof has shown; "": a session of bearer tokens
	UserAgent     string
	Address       string
}

// RedeemDevice begins the session of a device code that somebody has allowed, and gives its first tokens. Before that
// it fails with ErrAuthorizationPending or ErrSlowDown, and afterwards with ErrAccessDenied, ErrExpiredCode or
// ErrInvalidGrant; with ErrUnauthorizedClient when the client has lost the right to it. Another client's attempt
// changes nothing, and neither does one that fails after the decision.
func (i *Issuer) RedeemDevice(ctx context.Context, g DeviceGrant) (Tokens, error) {
	if err := checkThumbprint(g.KeyThumbprint); err != nil {
		return Tokens{}, err
	}
	var d *draft
	var waits error
	// Reading the decision, making the session and forgetting the code are one commit: of many who ask with one code at
	// once, one gets the session, and the others find nothing. The subject is read in it too: a logout everywhere or a
	// ban comes before, and the code is of no use, or after, and ends the session.
	err := i.commit(ctx, func(u *update) (err error) {
		d, waits, err = u.redeemDevice(g)
		return err
	})
	if err = cmp.Or(err, waits); err != nil {
		return Tokens{}, err
	}
	i.counts.sessions.Add(1)
	return i.sign(ctx, d)
}

// redeemDevice applies the rule of device codes. What a device that waits is told comes beside the error, since what
// this changed is to be kept.
func (u *update) redeemDevice(g DeviceGrant) (d *draft, waits, err error) {
	code, err := u.DeviceCode(secretHash(g.DeviceCode))
	if errors.Is(err, ErrNotFound) || err == nil && code.ClientID != g.ClientID {
		return nil, nil, ErrInvalidGrant
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case !u.now.Before(code.Expires):
		return nil, nil, ErrExpiredCode
	case code.Decision == DeviceDenied:
		return nil, nil, ErrAccessDenied
	case code.Decision == DeviceWaits:
		waits, err = u.poll(code)
		return nil, waits, err
	}
	subject, err := findSubject(u, code.Subject)
	if errors.Is(err, ErrNotFound) || err == nil && (subject.Disabled || code.Generation < subject.Ending.Before) {
		return nil, nil, ErrInvalidGrant
	}
	if err != nil {
		return nil, nil, err
	}
	client, resource, err := u.partiesOf(u, code.ClientID, code.Resource, code.Issued)
	if err == nil && !client.DeviceGrant {
		err = ErrUnauthorizedClient
	}
	if err != nil {
		return nil, nil, err
	}
	session := u.newSession(&subject, client, resource, code.Scope)
	session.AMR, session.AuthTime = code.AMR, code.AuthTime
	if d, err = u.beginSettled(session, &subject, client, resource, g.KeyThumbprint, g.UserAgent, g.Address); err != nil {
		return nil, nil, err
	}
	return d, nil, u.DeleteDeviceCode(code.Hash)
}

// poll counts a request that comes before the decision, and says what the device is told.
func (u *update) poll(code DeviceCode) (waits, err error) {
	waits = ErrAuthorizationPending
	if u.now.Before(code.Polled.Add(code.Interval - pollTolerance)) {
		waits = ErrSlowDown
		code.Interval += deviceInterval
	}
	code.Polled = u.now
	return waits, u.UpdateDeviceCode(code)
}
