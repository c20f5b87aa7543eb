package issuer

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"
)

// DeviceCode is what a device without a browser asks with until somebody has decided in another one's (RFC 8628). It
// gives one session to one client, once, and is no more then.
type DeviceCode struct {
	Hash     string // base64url of its SHA-256
	UserHash string // of the code that a person types, as the device shows it
	ClientID string
	Resource string
	Scope    []string // what the client asks for, nil for everything; what it gets, once that is allowed
	Issued   time.Time
	Expires  time.Time
	Interval time.Duration // that the device is to leave between two requests
	Polled   time.Time     // when it asked last; zero: never
	Decision DeviceDecision

	// Of who allowed it:
	Subject    string
	Generation uint64
	AMR        []string
	AuthTime   time.Time
}

// DeviceDecision is what somebody said to a device's request.
type DeviceDecision string

// The decisions.
const (
	DeviceWaits   DeviceDecision = "" // nobody has said anything
	DeviceAllowed DeviceDecision = "allowed"
	DeviceDenied  DeviceDecision = "denied"
)

const (
	deviceCodePrefix = "jdc_"
	deviceCodeTTL    = 10 * time.Minute

	// deviceCodeRetention is how long an expired one is known, so that its device is told that it has expired.
	deviceCodeRetention = time.Hour

	deviceInterval = 5 * time.Second // RFC 8628 §3.2, and by how much it grows for a device that asks too often (§3.5)

	// maxDeviceCodes bounds how many of a client wait at once. With so many, one guess at a user code hits one of them
	// with 1 : 25,000,000.
	maxDeviceCodes = 1000

	userCodeAlphabet = "BCDFGHJKLMNPQRSTVWXZ" // RFC 8628 §6.1: no vowels, so no words, and nothing that looks like a digit
	userCodeLength   = 8                      // 34 bits
	userCodeTries    = 3                      // that one is taken happens once in 25,000,000 times
)

// ErrUserCode is a user code that no device waits with any more: it's wrong, has expired, or somebody has decided.
var ErrUserCode = errors.New("issuer: no device waits with this code")

// DeviceRequest asks for a device code (RFC 8628 §3.1). The caller has authenticated the client.
type DeviceRequest struct {
	ClientID string
	Resource string   // RFC 8707; "" is the client's first resource, or else the default one
	Scope    []string // nil asks for everything that client, resource and subject allow
	Address  string   // of the device; for whoever counts requests: it isn't stored
}

// DeviceStart is what a device is told: what it asks with, and what a person is to type where.
type DeviceStart struct {
	DeviceCode string
	UserCode   string // with a dash in its middle
	ExpiresIn  time.Duration
	Interval   time.Duration
}

// StartDevice begins the login of a device. It fails with ErrUnauthorizedClient for a client without DeviceGrant, with
// ErrInvalidClient, ErrInvalidTarget and ErrInvalidScope, and with ErrBusy when too many devices of the client wait
// already.
func (i *Issuer) StartDevice(ctx context.Context, r DeviceRequest) (start DeviceStart, err error) {
	for range userCodeTries {
		code, deviceHash := newSecret(deviceCodePrefix)
		user := newUserCode()
		start = DeviceStart{DeviceCode: code, UserCode: user, ExpiresIn: deviceCodeTTL, Interval: deviceInterval}
		// Judging the request and writing the code are one commit: a client that is deleted or loses the right to it
		// comes before, and counts, or after, and then the code is of no use. On PostgreSQL requests at one moment
		// don't see each other's codes, so that the bound may be passed by as many.
		err = i.commit(ctx, func(u *update) error { return u.startDevice(r, deviceHash, secretHash(user)) })
		if !errors.Is(err, ErrTaken) {
			break
		}
	}
	if err != nil {
		return DeviceStart{}, err
	}
	return start, nil
}

func (u *update) startDevice(r DeviceRequest, hash, userHash string) error {
	client, err := u.issuer.client(u, r.ClientID)
	if err != nil {
		return err
	}
	if !client.DeviceGrant {
		return ErrUnauthorizedClient
	}
	resource, err := u.issuer.target(u, client, r.Resource)
	if err != nil {
		return err
	}
	if _, err := authorizedScope(r.Scope, client, resource, &Subject{}); err != nil {
		return err
	}
	waiting, err := u.CountDeviceCodes(client.ID, u.now)
	if err != nil {
		return err
	}
	if waiting >= maxDeviceCodes {
		return ErrBusy
	}
	return u.InsertDeviceCode(DeviceCode{
		Hash: hash, UserHash: userHash, ClientID: client.ID, Resource: resource.Audience, Scope: r.Scope, Issued: u.now, Expires: u.now.Add(deviceCodeTTL),
		Interval: deviceInterval,
	})
}

// newUserCode draws each letter from the same number of bytes.
func newUserCode() string {
	code := make([]byte, 0, userCodeLength)
	for b := make([]byte, 1); len(code) < userCodeLength; {
		rand.Read(b)
		if limit := 256 - 256%len(userCodeAlphabet); int(b[0]) < limit {
			code = append(code, userCodeAlphabet[int(b[0])%len(userCodeAlphabet)])
		}
	}
	return showUserCode(string(code))
}

// ParseUserCode reads a user code as people type it, in any case, with dashes, dots and spaces wherever they like, and
// returns it as a device shows it. It fails with ErrUserCode for what can't be one.
func ParseUserCode(text string) (string, error) {
	code := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-‐‑‒–—−_. \t\u00a0", r) {
			return -1
		}
		return r
	}, strings.ToUpper(text))
	outside := func(r rune) bool { return !strings.ContainsRune(userCodeAlphabet, r) }
	if len(code) != userCodeLength || strings.ContainsFunc(code, outside) {
		return "", ErrUserCode
	}
	return showUserCode(code), nil
}

// showUserCode puts the dash in.
func showUserCode(code string) string { return code[:userCodeLength/2] + "-" + code[userCodeLength/2:] }

func (u *update) sweepDeviceCodes() (more bool, err error) {
	count, err := u.DeleteDeviceCodes("", u.now.Add(-deviceCodeRetention), sweepBatch)
	return count > 0, err
}
