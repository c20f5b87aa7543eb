package issuer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// DeleteClient deletes a stored client: its access tokens are refused, also what others got in exchange for them, and
// its sessions end, so that no other client of that ID gets them. It fails with ErrNotFound or ErrDeclared; when it
// fails otherwise the client may be gone, sessions be left and tokens be good that it got in that moment: RevokeClient
// ends these, too.
//
// Where the client could exchange tokens and the database's clock was ahead before, a new one of that ID gets none
// until the clock is there again, but ErrBusy. What it got in exchange for tokens that clients had for themselves may
// be good again then: nothing tells how far ahead the clock was.
func (i *Issuer) DeleteClient(ctx context.Context, id string) error {
	if id != "" && i.config.client(id) != nil {
		return ErrDeclared
	}
	if _, err := i.Client(ctx, id); err != nil { // so that no subject is made for what was never a client
		return err
	}
	rule := revocation.Rule{Kind: revocation.ClientIssuedAt, Value: id}
	// The row and the rule are one commit: a login or refresh at the same time has either read the client, and its
	// token was issued before the time that the rule names, or finds none. The subject comes before the client, as
	// everywhere.
	err := i.commit(ctx, func(u *update) error {
		own, err := u.ownSubject(id)
		if err != nil {
			return err
		}
		if err := u.DeleteClient(id); err != nil {
			return err
		}
		if err := u.deleteSubject(own); err != nil {
			return err
		}
		now, err := u.Now() // what was issued until now is committed, or will find no client
		if err != nil {
			return err
		}
		rule.Minimum = secondAfter(now)
		u.refuseIssued(rule, now)
		err1 := u.refuseExchanged(rule, now)
		err2 := noteExchanger(u, &Client{ID: id})
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		return u.audit(EventClientDeleted, Event{ClientID: id})
	})
	if err != nil {
		return err
	}
	// An exchange waits for nobody: where the commit took long, it may have read the client after the time that the
	// rule names. From the commit on it finds none, and the sessions may end at leisure.
	if err := i.revokeAll(ctx, rule, ""); err != nil {
		return err
	}
	return i.refuseExchangesAhead(ctx, id)
}

// waitForClient fails with ErrBusy just after a client of the same ID was deleted: the rule about that one would refuse
// the tokens of a new one.
func (u *update) waitForClient(id string) error {
	before, err := u.Subject(id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil && u.now.Unix() < secondAfter(before.Deleted) {
		return fmt.Errorf("%w: a client of this ID was deleted a moment ago", ErrBusy)
	}
	return err
}

// secondAfter is the first second (iat) of which no token was issued before a transaction commits that is about to at a
// time.
func secondAfter(t time.Time) int64 { return t.Unix() + 2 }
