//go:build unix

package issuer_test

import (
	"context"
	"sync/atomic"

	"github.com/jot-auth/jot/server/issuer"
)

// pausing is a Store in which transactions pause where their contexts say so (pauses), for others to begin to wait for
// them. It counts those that had to start over.
type pausing struct {
	issuer.Store
	again atomic.Int64
}

// pauses are in the context of who pauses. What is nil is no pause.
type pauses struct {
	beforeSubject func() // is read
	afterClient   func() // was added or deleted, or others were looked for that have its scope
}

type pausesKey struct{}

// with returns a context for who pauses.
func (p pauses) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, pausesKey{}, p)
}

func (p *pausing) Update(ctx context.Context, f func(issuer.Tx) error) error {
	at, _ := ctx.Value(pausesKey{}).(pauses)
	runs := 0
	return p.Store.Update(ctx, func(tx issuer.Tx) error {
		if runs++; runs > 1 {
			p.again.Add(1)
		}
		return f(&pausingTx{tx, at})
	})
}

type pausingTx struct {
	issuer.Tx
	at pauses
}

func (t *pausingTx) Subject(id string) (issuer.Subject, error) {
	if t.at.beforeSubject != nil {
		t.at.beforeSubject()
	}
	return t.Tx.Subject(id)
}

func (t *pausingTx) afterClient(err error) error {
	if t.at.afterClient != nil {
		t.at.afterClient()
	}
	return err
}

func (t *pausingTx) InsertClient(c issuer.Client) error { return t.afterClient(t.Tx.InsertClient(c)) }

func (t *pausingTx) DeleteClient(id string) error { return t.afterClient(t.Tx.DeleteClient(id)) }

func (t *pausingTx) OtherWithScope(scope, id string) (bool, error) {
	found, err := t.Tx.OtherWithScope(scope, id)
	return found, t.afterClient(err)
}
