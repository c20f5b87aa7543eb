package issuer

import "time"

// AuthorizationReader reads what leads from a browser to a session: sign-ins, codes and consents.
type AuthorizationReader interface {
	SignInReader
	CodeReader
	ConsentReader
	DeviceCodeReader
}

// AuthorizationWriter writes them.
type AuthorizationWriter interface {
	SignInWriter
	CodeWriter
	ConsentWriter
	DeviceCodeWriter
	NoticeWriter
}

// SignInReader reads sign-ins. Who reads one together with its subject begins with the sign-in.
type SignInReader interface {
	// SignIn finds the sign-in whose secret has a hash, whoever its subject is, or fails with ErrNotFound. It's for who
	// has to do with another subject too: two subjects have no order.
	SignIn(hash string) (SignIn, error)
	// SignInByHash finds the sign-in whose secret has a hash, and its subject, or fails with ErrNotFound.
	SignInByHash(hash string) (SignIn, Subject, error)
	// SignInOfCode finds the sign-in that the authorization code of a hash names, and its subject, or fails with
	// ErrNotFound.
	SignInOfCode(hash string) (SignIn, Subject, error)
	// SessionsOfSignIn returns up to limit sessions that name a sign-in and weren't ended, expired ones too, with an ID
	// above after, in the order of their IDs' bytes.
	SessionsOfSignIn(id, after string, limit int) ([]Session, error)
	// SessionsSignedIn returns up to limit sessions of a subject that name a sign-in and weren't ended, in any order.
	SessionsSignedIn(subject string, limit int) ([]Session, error)
}

// SignInWriter writes sign-ins.
type SignInWriter interface {
	// InsertSignIn adds a sign-in, or fails with ErrTaken.
	InsertSignIn(SignIn) error
	// UpdateSignIn replaces everything but ID and Subject, or fails with ErrNotFound.
	UpdateSignIn(SignIn) error
	// DeleteSignIn removes a sign-in, or fails with ErrNotFound.
	DeleteSignIn(id string) error
}

// CodeReader reads authorization codes. Who reads one together with its sign-in begins with the code.
type CodeReader interface {
	// Code finds the code of a hash, a spent or expired one too, or fails with ErrNotFound.
	Code(hash string) (Code, error)
	// CountCodes counts the codes of a sign-in, spent ones too, that expire after a time.
	CountCodes(signIn string, at time.Time) (int, error)
}

// CodeWriter writes authorization codes.
type CodeWriter interface {
	// InsertCode adds a code, or fails with ErrTaken.
	InsertCode(Code) error
	// SpendCode notes the session that a code gave, or fails with ErrNotFound.
	SpendCode(hash, session string) error
}

// ConsentReader reads consents.
type ConsentReader interface {
	// Consent finds what a subject lets a client have of a resource, or fails with ErrNotFound.
	Consent(subject, client, resource string) (Consent, error)
	// Consents returns all that a subject gave, in the order of the clients' and the resources' bytes.
	Consents(subject string) ([]Consent, error)
}

// ConsentWriter writes consents.
type ConsentWriter interface {
	// PutConsent replaces the consent of its subject, client and resource, or adds it.
	PutConsent(Consent) error
	// DeleteConsentsTo removes what a subject lets a client have, and returns how many these were.
	DeleteConsentsTo(subject, client string) (int, error)
	// DeleteConsents removes all that a subject gave.
	DeleteConsents(subject string) error
}

// DeviceCodeReader reads device codes. Who reads one together with a sign-in or a subject begins with the code.
type DeviceCodeReader interface {
	// DeviceCode finds the device code of a hash, an expired one too, or fails with ErrNotFound.
	DeviceCode(hash string) (DeviceCode, error)
	// DeviceCodeByUser finds the device code whose user code has a hash, an expired one too, or fails with ErrNotFound.
	DeviceCodeByUser(hash string) (DeviceCode, error)
	// CountDeviceCodes counts a client's device codes that expire after a time.
	CountDeviceCodes(client string, at time.Time) (int, error)
}

// DeviceCodeWriter writes device codes.
type DeviceCodeWriter interface {
	// InsertDeviceCode adds a device code, or fails with ErrTaken when one of the hashes exists.
	InsertDeviceCode(DeviceCode) error
	// UpdateDeviceCode replaces Scope, Interval, Polled, Decision, Subject, Generation, AMR and AuthTime, or fails with
	// ErrNotFound.
	UpdateDeviceCode(DeviceCode) error
	// DeleteDeviceCode removes a device code, or fails with ErrNotFound.
	DeleteDeviceCode(hash string) error
	// DeleteDeviceCodesTo removes the codes that a subject has allowed to a client, and returns how many these were.
	DeleteDeviceCodesTo(subject, client string) (int, error)
}

// NoticeWriter writes logouts of which clients are to be told.
type NoticeWriter interface {
	// InsertNotice adds a notice, or fails with ErrTaken.
	InsertNotice(Notice) error
	// ClaimNotices returns up to limit notices that are due by now, those that are due first, counts an attempt of
	// each, and makes it due at until, so that nobody else claims it before. It leaves out those for busy clients, at
	// most MaxBusyClients.
	ClaimNotices(now, until time.Time, limit int, busy []string) ([]Notice, error)
	// PostponeNotice makes a notice, if there is one, due at another time.
	PostponeNotice(id string, due time.Time) error
	// DeleteNotice removes a notice, if there is one.
	DeleteNotice(id string) error
}

// AuthorizationSweeper forgets up to limit of what is over, and returns how many these were.
type AuthorizationSweeper interface {
	// DeleteSignIns deletes sign-ins that expired before a time.
	DeleteSignIns(before time.Time, limit int) (int, error)
	// DeleteUnusedCodes deletes codes of a client, "" of every one, that expired before a time, and that gave no
	// session.
	DeleteUnusedCodes(client string, before time.Time, limit int) (int, error)
	// DeleteCodes deletes codes that expired before a time.
	DeleteCodes(before time.Time, limit int) (int, error)
	// DeleteDeviceCodes deletes device codes of a client, "" of every one, that expired before a time.
	DeleteDeviceCodes(client string, before time.Time, limit int) (int, error)
}
