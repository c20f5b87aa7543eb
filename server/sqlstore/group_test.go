package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestGroup: of updates that share a commit, each comes out as it would by itself: who fails leaves nothing behind,
// whether it had written, was given up or panicked, and takes nobody along.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
		defer store.Close()
		const updates = 100 // more than one group
		failed := make([]error, updates)
		behindOne(t, store, updates, func(n int) {
			failed[n] = groupMember(t.Context(), store, n)
		})
		for n, err := range failed {
			var want error
			switch n % 5 {
			case 1, 2:
				want = errMember
			case 3:
				want = context.Canceled
			case 4:
				want = errPanic
			}
			if !errors.Is(err, want) {
				t.Errorf("update %d: %v, want %v", n, err, want)
			}
			if err := stored(t, store, n); (err == nil) != (want == nil) {
				t.Errorf("update %d failed with %v, and what it wrote is %v", n, want, err)
			}
		}
	})
}

// TestGroupForgetsWhatAFailureReturned: a statement that returns what it changed has written, too.
func TestGroupForgetsWhatAFailureReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
		defer store.Close()
		now := time.Now()
		err := store.Update(t.Context(), func(tx issuer.Tx) error {
			s := issuer.Session{ID: "sid", Subject: "sub", Created: now, AuthTime: now, Expires: now.Add(time.Hour)}
			return errors.Join(tx.InsertSubject(issuer.Subject{ID: "sub"}), tx.InsertSession(s))
		})
		if err != nil {
			t.Fatal(err)
		}
		behindOne(t, store, 2, func(n int) {
			err := store.Update(t.Context(), func(tx issuer.Tx) error {
				if n == 1 {
					return tx.PutSetting("other", 1)
				}
				ended, err := tx.EndSessionsOf("", now, issuer.EndedByAdmin, issuer.Position{}, 10)
				if len(ended) != 1 || err != nil {
					t.Errorf("%d sessions ended, %v", len(ended), err)
				}
				return errMember
			})
			if n == 0 && !errors.Is(err, errMember) || n == 1 && err != nil {
				t.Errorf("update %d: %v", n, err)
			}
		})
		err = store.View(t.Context(), func(r issuer.Reader) error {
			s, _, err := r.Session("sid")
			if !s.Ended.IsZero() {
				t.Errorf("a failed update ended %+v", s)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

var (
	errMember = errors.New("failed on purpose")
	errPanic  = errors.New("panicked on purpose")
)

// groupMember updates, and fails in the way that its number says.
func groupMember(ctx context.Context, store *sqlstore.Store, n int) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return store.Update(ctx, func(tx issuer.Tx) error {
		if n%5 == 1 {
			return errMember // before it wrote
		}
		if err := tx.PutSetting(fmt.Sprint(n), int64(n)); err != nil {
			return err
		}
		switch n % 5 {
		case 2:
			return errMember
		case 3:
			cancel()
		case 4:
			panic("on purpose")
		}
		return nil
	})
}

// TestGroupSeesTheOnesBefore: updates that share a commit are as serial as others.
func TestGroupSeesTheOnesBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
		defer store.Close()
		const updates = 100
		behindOne(t, store, updates, func(int) {
			err := store.Update(t.Context(), func(tx issuer.Tx) error {
				sum, err := tx.Setting("sum")
				if err != nil && !errors.Is(err, issuer.ErrNotFound) {
					return err
				}
				return tx.PutSetting("sum", sum+1)
			})
			if err != nil {
				t.Error(err)
			}
		})
		err := store.View(t.Context(), func(r issuer.Reader) error {
			sum, err := r.Setting("sum")
			if sum != updates {
				t.Errorf("%d of %d updates counted", sum, updates)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// behindOne lets so many callers wait for an update that is under way, and waits for them.
func behindOne(t *testing.T, store *sqlstore.Store, callers int, call func(n int)) {
	t.Helper()
	release := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		err := store.Update(t.Context(), func(issuer.Tx) error {
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	for n := range callers {
		wait.Go(func() { call(n) })
	}
	synctest.Wait()
	close(release)
	wait.Wait()
}

func stored(t *testing.T, store *sqlstore.Store, n int) error {
	t.Helper()
	return store.View(t.Context(), func(r issuer.Reader) error {
		_, err := r.Setting(fmt.Sprint(n))
		return err
	})
}
