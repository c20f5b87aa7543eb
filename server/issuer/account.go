package issuer

import "time"

// Enrolment is what an account is made of.
type Enrolment struct {
	Name       string
	Password   string
	Email      string // "" is none
	Invitation string // the code of one; "" is none

	// What only administrators say.
	PasswordHash  string // of another system, instead of a password
	EmailVerified bool
}

// Person is who a subject is.
type Person struct {
	Name          string // of the account, as its owner writes it
	Email         string // "" is none
	EmailVerified bool   // the person reads its mail
}

// StoredAccount is all that is stored of a person's account, but secrets.
type StoredAccount struct {
	Person
	Canonical string       // the name as it is compared
	HashKind  string       // of the password, such as "argon2id"
	Codes     []StoredCode // that were sent and not used
	Factors   []Factor
	Created   time.Time
}

// Factor is what an account demands beside its password.
type Factor struct {
	Kind          string // "totp" or "passkey"
	Created       time.Time
	RecoveryCodes int      // that are left to the account
	Passkey       *Passkey // nil of other kinds
}

// Passkey is the public half of a key pair of somebody's device or password manager (WebAuthn Level 3 §4, public key
// credential). Nothing in it is secret.
type Passkey struct {
	ID             string
	Subject        string
	Name           string   // as its owner calls it
	Credential     []byte   // the authenticator's name for it
	PublicKey      []byte   // COSE (RFC 9052 §7)
	SignCount      uint32   // the highest that it has shown; 0: it doesn't count
	Transports     []string // over which a browser reaches the authenticator
	BackupEligible bool     // it may be on more than one device
	BackedUp       bool     // it is
	UserHandle     []byte   // what the authenticator calls its owner, where another system chose that; empty: as this one does
	Created        time.Time
	LastUsed       time.Time // zero: never
}

// ForeignTOTP is what made a person's one-time codes at another system.
type ForeignTOTP struct {
	Secret         string   // base32
	RecoveryHashes []string // of recovery codes that weren't used, as an export has them: hex
	Created        time.Time
}

// ForeignPasskey is a passkey that a person had at another system of the same host name. Bytes are in base64url.
type ForeignPasskey struct {
	RelyingParty   string // the host name
	ID             string // "": a random one
	Name           string
	Credential     string
	PublicKey      string
	UserHandle     string // "": as this server makes it
	SignCount      uint32
	Transports     []string
	BackupEligible bool
	BackedUp       bool
	RecoveryHashes []string  // as those of a ForeignTOTP
	Created        time.Time // zero: now
	LastUsed       time.Time // zero: never
}

// StoredCode is a code that was sent to a person.
type StoredCode struct {
	Purpose string
	Email   string // that it verifies, if it does
	Created time.Time
	Expires time.Time
}

// Invitation is a right to make one account.
type Invitation struct {
	ID      string
	Note    string // for administrators
	Created time.Time
	Expires time.Time
}
