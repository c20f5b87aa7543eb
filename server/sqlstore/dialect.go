package sqlstore

import (
	"time"

	"github.com/pressly/goose/v3"
)

// dialect is what SQLite and PostgreSQL do differently. All other text of SQL is shared: $1 placeholders, integers, ON
// CONFLICT.
type dialect interface {
	// migrations names the schema's own dialect and folder.
	migrations() (d goose.Dialect, folder string)
	// now is the database's clock.
	now(t *tx) (time.Time, error)
	// nowAhead has the clock read ahead, where that's a statement.
	nowAhead(t *tx)
	// holding turns the query of a row into one that lets nobody else change that row before the commit.
	holding(query string) string
	// lock waits until nobody else holds the same lock, or until all who do share it, and holds it until the commit.
	lock(t *tx, l lock, shared bool) error
	// movingHead turns insertRule into a statement that moves the log's head to the rule as well, where there is such a
	// one.
	movingHead(insert string) (statement string, moves bool)
	// lockSlot waits until nobody else holds the same slot of throttles, and holds it until the commit. Whoever holds
	// several took them in the order of accounts, which is one of kinds, so that no two wait for each other; and after
	// a subject and its account.
	lockSlot(t *tx, slot int64) error
	// collided reports whether a transaction failed only because of others beside it, so that it can run again.
	collided(err error) bool
	// takeTime lets a transaction wait for its caller, and a statement for whoever reads its rows, as long as that
	// takes.
	takeTime(t *tx) error
	// continueIdentities makes the next identity of each table follow those that were copied into it.
	continueIdentities(t *tx) error
}

// lock is one that isn't of a row: what it protects may have no row yet, or is the order of several.
//
// Whoever takes several locks does so in this order, in which no two can wait for each other: a subject, its sessions,
// its account and slots, and then these.
type lock int32

// The locks, in the order in which they are taken.
const (
	lockAdmins        lock = iota + 1 // who has a scope, when somebody else loses it; right after that subject, before its sessions
	lockSweep                         // forgetting what is over
	lockConfiguration                 // clients and resources; shared by all who issue tokens
	lockKeys                          // all keys: there is one active and one next
	lockSettings                      // settings that don't exist yet
	lockLog                           // the log's head before there is one
	lockAsked                         // what verifiers are asked for, before there is anything
	lockEvents                        // the order of events; the last one of a transaction, taken when it is about to commit
)
