package web

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// SessionRecord is a session as answers and exports have it.
type SessionRecord struct {
	ID          string     `json:"sid"`
	Subject     string     `json:"sub"`
	ClientID    string     `json:"client_id"`
	Resource    string     `json:"resource"`
	Scope       string     `json:"scope"`
	AMR         []string   `json:"amr"`
	AuthTime    time.Time  `json:"auth_time"`
	UserAgent   string     `json:"user_agent"`
	Address     string     `json:"address"`
	Created     time.Time  `json:"created"`
	LastUsed    time.Time  `json:"last_used"`
	IdleExpires time.Time  `json:"idle_expires"`
	Expires     time.Time  `json:"expires"`
	Ended       *time.Time `json:"ended,omitempty"`
	EndReason   string     `json:"end_reason,omitempty"`
}

// NewSessionRecord makes the record of a session.
func NewSessionRecord(s issuer.Session) SessionRecord {
	record := SessionRecord{
		ID: s.ID, Subject: s.Subject, ClientID: s.ClientID, Resource: s.Resource, Scope: strings.Join(s.Scope, " "), AMR: append([]string{}, s.AMR...),
		AuthTime: s.AuthTime, UserAgent: s.UserAgent, Address: s.Address, Created: s.Created, LastUsed: s.LastUsed,
		IdleExpires: s.IdleExpires, Expires: s.Expires, EndReason: string(s.EndReason),
	}
	if !s.Ended.IsZero() {
		record.Ended = &s.Ended
	}
	return record
}

// EventRecord is an event as answers and exports have it.
type EventRecord struct {
	ID          uint64    `json:"id"`
	Time        time.Time `json:"time"`
	Kind        string    `json:"kind"`
	Subject     string    `json:"sub,omitempty"`
	Session     string    `json:"sid,omitempty"`
	ClientID    string    `json:"client_id,omitempty"`
	Detail      string    `json:"detail,omitempty"`
	Actor       string    `json:"actor,omitempty"`
	ActorClient string    `json:"actor_client_id,omitempty"`
	Address     string    `json:"address,omitempty"`
	UserAgent   string    `json:"user_agent,omitempty"`
	RequestID   string    `json:"request_id,omitempty"`
}

// NewEventRecord makes the record of an event.
func NewEventRecord(e issuer.Event) EventRecord {
	return EventRecord{
		ID: e.ID, Time: e.Time, Kind: string(e.Kind), Subject: e.Subject, Session: e.Session, ClientID: e.ClientID, Detail: e.Detail,
		Actor: e.Actor, ActorClient: e.ActorClient, Address: e.Address, UserAgent: e.UserAgent, RequestID: e.RequestID,
	}
}

// SubjectRecord is a subject as exports have it.
type SubjectRecord struct {
	ID         string          `json:"sub"`
	Scope      string          `json:"scope"`
	Claims     json.RawMessage `json:"claims"`
	Disabled   bool            `json:"disabled"`
	Generation uint64          `json:"generation"`
	Created    time.Time       `json:"created"`
}

// NewSubjectRecord makes the record of a subject.
func NewSubjectRecord(s issuer.Subject) SubjectRecord {
	return SubjectRecord{ID: s.ID, Scope: strings.Join(s.Scope, " "), Claims: s.Claims, Disabled: s.Disabled, Generation: s.Generation, Created: s.Created}
}

// AccountRecord is what is stored of a person's account, without the password's hash.
type AccountRecord struct {
	Username      string         `json:"username"`  // as its owner writes it
	Canonical     string         `json:"canonical"` // as it is compared
	Email         string         `json:"email"`
	EmailVerified bool           `json:"email_verified"`
	PasswordHash  string         `json:"password_hash"` // its kind: "argon2id"
	Created       time.Time      `json:"created"`
	Codes         []CodeRecord   `json:"codes"` // that were sent and not used
	Factors       []FactorRecord `json:"factors"`
}

// FactorRecord is what an account demands beside its password, without its secret.
type FactorRecord struct {
	Kind          string         `json:"kind"` // "totp" or "passkey"
	Created       time.Time      `json:"created"`
	RecoveryCodes int            `json:"recovery_codes"` // that are left to the account
	Passkey       *PasskeyRecord `json:"passkey,omitempty"`
}

// PasskeyRecord is a passkey as answers and exports have it.
type PasskeyRecord struct {
	ID             string     `json:"id"`
	Name           string     `json:"name"`
	Credential     string     `json:"credential_id"`         // base64url, like the next
	PublicKey      string     `json:"public_key"`            // COSE
	UserHandle     string     `json:"user_handle,omitempty"` // base64url too, where another system chose it
	SignCount      uint32     `json:"sign_count"`
	Transports     []string   `json:"transports"`
	BackupEligible bool       `json:"backup_eligible"`
	BackedUp       bool       `json:"backed_up"`
	LastUsed       *time.Time `json:"last_used,omitempty"`
}

// NewPasskeyRecord makes the record of a passkey.
func NewPasskeyRecord(p issuer.Passkey) *PasskeyRecord {
	record := &PasskeyRecord{
		ID: p.ID, Name: p.Name, Credential: base64.RawURLEncoding.EncodeToString(p.Credential), PublicKey: base64.RawURLEncoding.EncodeToString(p.PublicKey),
		SignCount: p.SignCount, Transports: append([]string{}, p.Transports...), BackupEligible: p.BackupEligible, BackedUp: p.BackedUp,
	}
	record.UserHandle = base64.RawURLEncoding.EncodeToString(p.UserHandle)
	if !p.LastUsed.IsZero() {
		record.LastUsed = &p.LastUsed
	}
	return record
}

// NewFactorRecords makes the records of an account's factors.
func NewFactorRecords(factors []issuer.Factor) []FactorRecord {
	records := []FactorRecord{}
	for _, f := range factors {
		record := FactorRecord{Kind: f.Kind, Created: f.Created, RecoveryCodes: f.RecoveryCodes}
		if f.Passkey != nil {
			record.Passkey = NewPasskeyRecord(*f.Passkey)
		}
		records = append(records, record)
	}
	return records
}

// CodeRecord is a code that was sent to a person, without the code.
type CodeRecord struct {
	Purpose string    `json:"purpose"`
	Email   string    `json:"email,omitempty"` // that it verifies
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

func newAccountRecord(a issuer.StoredAccount) *AccountRecord {
	record := &AccountRecord{
		Username: a.Name, Canonical: a.Canonical, Email: a.Email, EmailVerified: a.EmailVerified, PasswordHash: a.HashKind, Created: a.Created, Codes: []CodeRecord{},
		Factors: NewFactorRecords(a.Factors),
	}
	for _, c := range a.Codes {
		record.Codes = append(record.Codes, CodeRecord(c))
	}
	return record
}
