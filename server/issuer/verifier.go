package issuer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// Verifier is a reader of the revocation feed that may hold a lease: as long as it does, it accepts tokens that newer
// rules refuse. It is known once for each server that it came to, so that one of these forgets only what that one has
// told it.
type Verifier struct {
	ID           string            // its own choice, and no other's
	Server       string            // where it registered
	MaxStaleness time.Duration     // how long a lease holds after the statement that it stands on, in whole milliseconds
	Registered   time.Time         // when it last did there, by the database's clock; zero: it's doubted since
	Acknowledged revocation.Cursor // up to where it is known to enforce every rule; zero: nowhere
}

// Acknowledgement says that a verifier enforces every rule up to a place of the log.
type Acknowledgement struct {
	Verifier string
	Cursor   revocation.Cursor
}

// RegisterVerifiers notes verifiers before anything is sent to them that a lease could stand on: whoever looks for
// verifiers after a rule's commit finds every one that may not know the rule. What a known one has acknowledged stays.
//
// It returns Registered, which is the same for all.
func (i *Issuer) RegisterVerifiers(ctx context.Context, verifiers []Verifier) (at time.Time, err error) {
	sorted := slices.SortedFunc(slices.Values(verifiers), func(a, b Verifier) int { return strings.Compare(a.ID, b.ID) })
	// One transaction for all who come at once. In the order of the IDs, as those who acknowledge, so that no two wait
	// for each other.
	err = i.store.Update(ctx, func(tx Tx) (err error) {
		if at, err = tx.Now(); err != nil {
			return err
		}
		for _, v := range sorted {
			v.Registered = at
			if err := tx.PutVerifier(v); err != nil {
				return err
			}
		}
		return nil
	})
	return at, err
}

// AcknowledgeVerifiers notes what verifiers acknowledged. What is beyond the log's head is left out: no verifier can
// have it, and it would stand for rules that are yet to come.
func (i *Issuer) AcknowledgeVerifiers(ctx context.Context, all []Acknowledgement) error {
	head, err := i.LogHead(ctx)
	if err != nil {
		return err
	}
	verifiers := make(map[revocation.Cursor][]string)
	for _, a := range all {
		if head.Cursor().Covers(a.Cursor) {
			verifiers[a.Cursor] = append(verifiers[a.Cursor], a.Verifier)
		}
	}
	if len(verifiers) == 0 {
		return nil
	}
	// One transaction for all that came meanwhile. That the head was read before is no race: it only grows, or is of
	// another log.
	return i.store.Update(ctx, func(tx Tx) error {
		for cursor, ids := range verifiers {
			slices.Sort(ids)
			if err := tx.Acknowledge(cursor, ids); err != nil {
				return err
			}
		}
		return nil
	})
}

// DoubtVerifiers notes, for all servers to see, that nobody seems to answer for verifiers any more, unless they have
// registered again meanwhile. When they do, nobody doubts them.
func (i *Issuer) DoubtVerifiers(ctx context.Context, verifiers []Verifier) error {
	return i.changeVerifiers(ctx, verifiers, Tx.DoubtVerifier)
}

// ForgetVerifiers forgets verifiers whose leases have run out, unless they have registered again meanwhile.
func (i *Issuer) ForgetVerifiers(ctx context.Context, verifiers []Verifier) error {
	return i.changeVerifiers(ctx, verifiers, Tx.DeleteVerifier)
}

func (i *Issuer) changeVerifiers(ctx context.Context, verifiers []Verifier, change func(Tx, Verifier) error) error {
	if len(verifiers) == 0 {
		return nil
	}
	// A verifier that registers again at the same time comes before, and isn't changed, or after, and is noted anew.
	return i.store.Update(ctx, func(tx Tx) error {
		for _, v := range verifiers {
			if err := change(tx, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// Verifiers returns every registered verifier, of all servers over the database.
func (i *Issuer) Verifiers(ctx context.Context) (all []Verifier, err error) {
	err = i.store.View(ctx, func(r Reader) error {
		all, err = r.Verifiers()
		return err
	})
	return all, err
}

// Asked returns the place of the log up to which verifiers are asked to acknowledge the rules; zero: nowhere.
func (i *Issuer) Asked(ctx context.Context) (asked revocation.Cursor, err error) {
	err = i.store.View(ctx, func(r Reader) error {
		asked, err = r.Asked()
		return err
	})
	return asked, err
}

// AskVerifiers lets all servers ask their verifiers to acknowledge the rules up to a place of the log. They are told at
// once.
func (i *Issuer) AskVerifiers(ctx context.Context, until revocation.Cursor) error {
	// Reading and raising is one transaction: of two servers that ask, the one that asks for less takes nothing back.
	return i.store.Update(ctx, func(tx Tx) error {
		asked, err := tx.Asked()
		if err != nil || asked.Covers(until) {
			return err
		}
		return tx.PutAsked(until)
	})
}

// OthersWrote returns a channel that is closed when another server may have written something. Without word from the
// database it is closed only now and then, so look as well.
func (i *Issuer) OthersWrote() <-chan struct{} { return i.others.wait() }
