package issuer

import (
	"context"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// Store keeps everything that an Issuer must not forget. It only stores: what is allowed is decided in this package.
// Package storetest is its contract.
//
// Times are whole milliseconds; the zero time is stored as such. Every method of a store fails
//
//   - with an error that wraps ErrUnavailable when the database can't be reached, is locked for too long, or can't
//     write
//   - with one that wraps ErrBusy when too many wait for it
//   - with the context's error when that ended first
type Store interface {
	// View runs f on one consistent state of the database. The Reader ends with f. It may run f again, on a later
	// state.
	View(ctx context.Context, f func(Reader) error) error
	// Update runs f in one serializable transaction that can write, and commits it when f returns nil; the commit is
	// durable when Update returns nil. After an error nothing that f wrote is there, unless the commit itself failed:
	// then either everything is or nothing. A store that finds a conflict may run f again, so f must have no effects
	// but through its Tx. A method of the Tx that writes and fails leaves nothing but to return an error. Some writes
	// may fail only after their method has returned: then everything after them fails, and Update returns the error
	// that they stand for. The Tx ends with f.
	//
	// Whoever reads several rows does so in one order: the subject, who else is in office, its sessions, its account,
	// then clients and resources, keys, settings and the log. Over a store that locks what is read, two that do
	// otherwise wait for each other until one of them has to start over. Who reads sessions of several subjects has all
	// of them before it goes on.
	Update(ctx context.Context, f func(Tx) error) error
	// Close ends the store. What was committed stays.
	Close() error
}

// Reader reads. It uses the context that was given to View or Update. In an Update, what was read can't be changed by
// others before the commit.
type Reader interface {
	Clock
	Foreseer
	SubjectReader
	SessionReader
	ClientReader
	ResourceReader
	AuthorizationReader
	KeyReader
	RuleReader
	EventReader
	BootstrapReader
	VerifierReader
	SettingReader
}

// Tx reads and writes.
type Tx interface {
	Reader
	Sweeper
	AuthorizationSweeper
	SubjectWriter
	SessionWriter
	ClientWriter
	ResourceWriter
	AuthorizationWriter
	KeyWriter
	RuleWriter
	EventWriter
	LogoutTokenWriter
	BootstrapWriter
	VerifierWriter
	AssertionWriter
	SettingWriter
}

// Clock tells the one time that all servers over a database share.
type Clock interface {
	// Now is the database's clock at the moment of the call, in UTC and whole milliseconds.
	Now() (time.Time, error)
}

// Foreseer is told what will be read.
type Foreseer interface {
	// Foresee lets the store read what comes next at once, rather than wait for each. It's the first method that is
	// called, and changes nothing but when something is read: the clock first, and the rest in the order of Foresight,
	// so that it's locked in the order that Store asks for.
	Foresee(Foresight) error
}

// SubjectReader reads subjects.
type SubjectReader interface {
	// Subject finds a subject, or fails with ErrNotFound.
	Subject(id string) (Subject, error)
	// Subjects returns up to limit subjects that exist and that the filter lets through, newest first and by falling
	// ID, from after the position.
	Subjects(f SubjectFilter, after Position, limit int) ([]Subject, error)
	// ClientSubjects returns up to limit subjects that exist and are clients, by ClientPrefix, with an ID above after,
	// in the order of the bytes of their IDs.
	ClientSubjects(after string, limit int) ([]Subject, error)
	// OtherWithScope reports whether a subject that exists and isn't disabled, and isn't the one of this ID, has a
	// scope of the issuer's own, which begins with "jot:".
	OtherWithScope(scope, id string) (bool, error)
}

// SubjectWriter writes subjects.
type SubjectWriter interface {
	// InsertSubject adds a subject, or fails with ErrTaken.
	InsertSubject(Subject) error
	// UpdateSubject replaces everything but ID, or fails with ErrNotFound.
	UpdateSubject(Subject) error
	// DeleteAccount removes the name and password by which a subject logs in, if the store keeps any.
	DeleteAccount(subject string) error
}

// SessionReader reads sessions.
type SessionReader interface {
	// Session finds a session, ended or expired ones too, and its subject, or fails with ErrNotFound.
	Session(id string) (Session, Subject, error)
	// SessionsOf returns up to limit sessions of a subject that weren't ended, expired ones too, with an ID above
	// after, in the order of their IDs' bytes.
	SessionsOf(subject, after string, limit int) ([]Session, error)
	// Sessions returns up to limit sessions of the filter's subject and client, newest first and by falling ID, from
	// after the position; with a time that isn't zero, only those whose rows say that they live then.
	Sessions(f SessionFilter, live time.Time, after Position, limit int) ([]Session, error)
	// LatestUse returns the latest LastUsed of all sessions, ended and expired ones too; the zero time without any. It
	// reads them all, and is for a View.
	LatestUse() (time.Time, error)
}

// SessionWriter writes sessions.
type SessionWriter interface {
	// HoldSessions reads up to 32 sessions and their subjects at once, before anything about them is written, for the
	// first Session of each. So of two transactions that need the same ones, neither waits for what the other has while
	// it has what the other waits for: all take them in the order of subjects and IDs.
	HoldSessions(ids []string) error
	// InsertSession adds a session, or fails with ErrTaken. Its subject must exist: else ErrNotFound.
	InsertSession(Session) error
	// UpdateSession replaces what changes in a session's life: Generation, UserAgent, Address, LastUsed, IdleExpires,
	// Counters, Ended, EndReason, RevokedTokens and Reported. It fails with ErrNotFound.
	UpdateSession(Session) error
	// EndSessions carries an Ending out on up to limit sessions of a subject that haven't ended and are of a generation
	// before it, and returns them.
	EndSessions(subject string, e Ending, limit int) ([]Session, error)
	// EndSessionsOf ends up to limit sessions of a client, "" of every one, that haven't ended, oldest first and by
	// rising ID, from after the position, and returns them.
	EndSessionsOf(client string, at time.Time, why EndReason, after Position, limit int) ([]Session, error)
}

// ClientReader reads stored clients.
type ClientReader interface {
	// Client finds a client, or fails with ErrNotFound.
	Client(id string) (Client, error)
	// Clients returns up to limit clients with an ID above after, in the order of the bytes of their IDs.
	Clients(after string, limit int) ([]Client, error)
}

// ClientWriter writes clients. All but Declared is stored.
type ClientWriter interface {
	// InsertClient adds a client, or fails with ErrTaken.
	InsertClient(Client) error
	// UpdateClient replaces everything but ID and Created, or fails with ErrNotFound.
	UpdateClient(Client) error
	// DeleteClient removes a client, or fails with ErrNotFound.
	DeleteClient(id string) error
}

// ResourceReader reads stored resources.
type ResourceReader interface {
	// Resource finds a resource, or fails with ErrNotFound.
	Resource(audience string) (Resource, error)
	// Resources returns up to limit resources with an audience above after, in the order of the bytes of their
	// audiences.
	Resources(after string, limit int) ([]Resource, error)
	// Algorithms returns the algorithms that any stored resource or client names, each once.
	Algorithms() ([]jot.Algorithm, error)
}

// ResourceWriter writes resources. All but Declared is stored.
type ResourceWriter interface {
	// InsertResource adds a resource, or fails with ErrTaken.
	InsertResource(Resource) error
	// UpdateResource replaces everything but Audience and Created, or fails with ErrNotFound.
	UpdateResource(Resource) error
	// DeleteResource removes a resource, or fails with ErrNotFound.
	DeleteResource(audience string) error
}

// KeyReader reads keys.
type KeyReader interface {
	// Keys returns every key, in the order of their insertion. They are few.
	Keys() ([]Key, error)
}

// KeyWriter writes keys.
type KeyWriter interface {
	// InsertKey adds a key, or fails with ErrTaken.
	InsertKey(Key) error
	// UpdateKey replaces State, Sealed, Activated and Expires, or fails with ErrNotFound.
	UpdateKey(Key) error
}

// RuleReader reads the log of revocation rules.
type RuleReader interface {
	// LogHead returns the head of the log, or ErrNotFound before there is one.
	LogHead() (revocation.Head, error)
	// LogEntries returns up to limit entries with a sequence above after, in order.
	LogEntries(after uint64, limit int) ([]LogEntry, error)
	// LiveRules hands out the rules of sequence last or below that never expire or expire at now or later, in any
	// order, one at a time, and stops at the first error.
	LiveRules(now time.Time, last uint64, each func(revocation.Rule) error) error
	// ReplacedLog returns the head at which ReplaceLog replaced a log, or ErrNotFound.
	ReplacedLog(logID string) (revocation.Head, error)
}

// RuleWriter writes the log of revocation rules.
type RuleWriter interface {
	// AppendRule adds an entry and moves the head to it, or fails with ErrTaken when its sequence exists.
	AppendRule(LogEntry) error
	// PutLogHead replaces the head.
	PutLogHead(revocation.Head) error
	// ReplaceLog removes every entry, notes the head so far as that of a replaced log, and puts the head of an empty
	// one.
	ReplaceLog(fresh revocation.Head) error
}

// EventReader reads events.
type EventReader interface {
	// Events returns up to limit events that the filter lets through with an ID above after, oldest first.
	Events(f EventFilter, after uint64, limit int) ([]Event, error)
	// EventsBefore returns up to limit events that the filter lets through with an ID below before, newest first; 0 is
	// above all.
	EventsBefore(f EventFilter, before uint64, limit int) ([]Event, error)
}

// EventWriter writes events.
type EventWriter interface {
	// InsertEvent adds an event under an ID of the store's choice, above all others.
	InsertEvent(Event) error
}

// LogoutTokenWriter remembers other issuers' logout tokens.
type LogoutTokenWriter interface {
	// InsertLogoutToken remembers one by its hash until it expires, or fails with ErrTaken.
	InsertLogoutToken(hash [32]byte, expires time.Time) error
}

// BootstrapReader reads the right to make an administrator.
type BootstrapReader interface {
	// Bootstrap returns the one that was put last, or ErrNotFound before there was any.
	Bootstrap() (Bootstrap, error)
}

// BootstrapWriter writes the right to make an administrator.
type BootstrapWriter interface {
	// PutBootstrap replaces the one before.
	PutBootstrap(Bootstrap) error
}

// VerifierReader reads who follows the revocation feed.
type VerifierReader interface {
	// Verifiers returns every verifier of every server, in the order of the bytes of their IDs, and then of the
	// servers.
	Verifiers() ([]Verifier, error)
	// Asked returns what was put last, the zero cursor before that.
	Asked() (revocation.Cursor, error)
}

// VerifierWriter writes who follows the revocation feed.
type VerifierWriter interface {
	// PutVerifier adds a verifier of a server, which has acknowledged nothing, or replaces MaxStaleness and Registered.
	PutVerifier(Verifier) error
	// DoubtVerifier makes Registered zero, of a verifier of a server whose Registered is still the same.
	DoubtVerifier(Verifier) error
	// DeleteVerifier deletes a verifier of a server whose Registered is still the same.
	DeleteVerifier(Verifier) error
	// Acknowledge replaces Acknowledged of those of the verifiers that exist and have acknowledged less, or another
	// log, at all their servers.
	Acknowledge(c revocation.Cursor, ids []string) error
	// PutAsked replaces what Asked returns.
	PutAsked(revocation.Cursor) error
}

// AssertionWriter remembers the assertions by which clients proved themselves.
type AssertionWriter interface {
	// InsertAssertion notes the hash of an assertion that expires at a time, or fails with ErrTaken when it's known.
	InsertAssertion(hash []byte, expires time.Time) error
}

// Setting is a number that the issuer remembers.
type Setting struct {
	Name  string
	Value int64
}

// SettingReader reads the issuer's few settings.
type SettingReader interface {
	// Setting returns the value of a setting, or ErrNotFound.
	Setting(name string) (int64, error)
	// Settings returns those whose names begin with a prefix, in the order of their names. In an Update nobody else
	// changes one of them, or makes one more, before the commit.
	Settings(prefix string) ([]Setting, error)
	// URL returns the one that was put last, or ErrNotFound before there was any.
	URL() (string, error)
}

// SettingWriter writes settings.
type SettingWriter interface {
	// PutSetting sets a setting.
	PutSetting(name string, value int64) error
	// PutURL replaces the one before.
	PutURL(url string) error
}

// Sweeper finds and forgets what is over. Each method takes a limited number of records, so that no transaction is
// long.
type Sweeper interface {
	// PendingSubjects returns the IDs of up to limit subjects whose Ending is pending.
	PendingSubjects(limit int) ([]string, error)
	// DeleteSessions deletes up to limit sessions that expired (Expires) or ended before a time, and returns how many
	// these were.
	DeleteSessions(before time.Time, limit int) (int, error)
	// DeleteRules deletes up to limit entries of the log, of sequence last or below, whose rules expired before a time,
	// and returns the highest sequence among them; 0: there were none.
	DeleteRules(before time.Time, last uint64, limit int) (uint64, error)
	// DeleteEvents deletes those of the oldest limit events that were written before a time, and returns how many these
	// were.
	DeleteEvents(before time.Time, limit int) (int, error)
	// DeleteLogoutTokens forgets up to limit logout tokens that expired before a time, and returns how many these were.
	DeleteLogoutTokens(before time.Time, limit int) (int, error)
	// DeleteKeys deletes the retired keys that left the key set before a time.
	DeleteKeys(before time.Time) error
	// DeleteSubjects deletes up to limit subjects that were deleted before a time and have no sessions, and returns how
	// many these were.
	DeleteSubjects(before time.Time, limit int) (int, error)
	// DeleteAssertions deletes up to limit assertions that expired before a time, and returns how many these were.
	DeleteAssertions(before time.Time, limit int) (int, error)
}
