package issuer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// ErrRewound is a database that has come back from the past, or isn't the one of before. What was revoked since may be
// valid again, so that nothing may be served from it before Recover.
var ErrRewound = errors.New("issuer: the database has gone back in time; recover it")

// settingMark counts the witnesses of a database, so that one which goes back is seen even where the log stood still:
// its refresh tokens would go back, too, and those that were used up be good again.
const settingMark = "witness_mark"

// Witness is what a server has seen of a database. It's kept outside of it, so that whoever brings an old database back
// doesn't bring an old witness with it.
type Witness struct {
	Head revocation.Head // of the revocation log
	Mark int64           // that was written into the database
	Time time.Time       // the database's at that moment
}

// Witness marks the database, after it has passed CheckWitness, and returns what is to be remembered of it from now on.
// The zero value of seen is for who hasn't seen anything. A database that has gone back is an error that wraps
// ErrRewound.
func (i *Issuer) Witness(ctx context.Context, seen Witness) (Witness, error) {
	var w Witness
	// Check and mark are one transaction, which is on the disk before anybody remembers it: a database that goes back
	// in between isn't taken for the one that was checked, and of several servers none remembers a mark that the
	// database doesn't have.
	err := i.store.Update(ctx, func(tx Tx) (err error) {
		if err := checkWitness(tx, seen); err != nil {
			return err
		}
		if w.Mark, err = markAgain(tx, 0); err != nil {
			return err
		}
		if w.Head, err = tx.LogHead(); err != nil {
			return err
		}
		w.Time, err = tx.Now()
		return err
	})
	return w, err
}

// markAgain sets and returns a mark above all that were.
func markAgain(tx Tx, seen int64) (int64, error) {
	mark, err := readMark(tx)
	if err != nil {
		return 0, err
	}
	mark = max(mark, seen) + 1
	return mark, tx.PutSetting(settingMark, mark)
}

func readMark(r SettingReader) (int64, error) {
	mark, err := r.Setting(settingMark)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return mark, err
}

// CheckWitness holds a database against what was seen of it. Its log must lead through the witness's head, and its mark
// be as high; or the log is the successor, by Recover, of the one that the witness knows. Else the error wraps
// ErrRewound. An entry that is gone because it can't matter to any living token proves nothing, and is no error.
func CheckWitness(ctx context.Context, store Store, w Witness) error {
	return store.View(ctx, func(r Reader) error { return checkWitness(r, w) })
}

func checkWitness(r Reader, w Witness) error {
	if w == (Witness{}) {
		return nil
	}
	mark, err := readMark(r)
	if err != nil {
		return err
	}
	head, err := r.LogHead()
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: it is empty: restore a backup of it (only where a server is to begin anew, remove its witness)", ErrRewound)
	}
	if err != nil {
		return err
	}
	if head.LogID != w.Head.LogID {
		return checkReplaced(r, w)
	}
	if mark < w.Mark {
		return fmt.Errorf("%w: it bears mark %d, and mark %d was seen at %v", ErrRewound, mark, w.Mark, w.Time.UTC())
	}
	return checkPasses(r, head, w.Head)
}

// checkReplaced: of several servers over one database, one recovers it, and the others' witnesses still know the log of
// before.
func checkReplaced(r RuleReader, w Witness) error {
	_, err := r.ReplacedLog(w.Head.LogID)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: its revocation log is another one", ErrRewound)
	}
	return err
}

func checkPasses(r RuleReader, head, seen revocation.Head) error {
	if head.Sequence < seen.Sequence {
		return fmt.Errorf("%w: its revocation log ends at %d, and %d was seen", ErrRewound, head.Sequence, seen.Sequence)
	}
	if seen.Sequence == 0 {
		return nil
	}
	entries, err := r.LogEntries(seen.Sequence-1, 1)
	if err != nil {
		return err
	}
	if len(entries) == 1 && entries[0].Sequence == seen.Sequence && entries[0].Hash != seen.Hash {
		return fmt.Errorf("%w: its revocation log was another one at or before %d", ErrRewound, seen.Sequence)
	}
	return nil
}
