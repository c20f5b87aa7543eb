package issuer_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// TestAcknowledgement: what a verifier acknowledges counts, and nothing that it can't have.
func TestAcknowledgement(t *testing.T) {
	f := newFixture(t, config())
	tokens := f.login()
	f.do(f.EndSession(t.Context(), "ann", tokens.SessionID))
	head, err := f.LogHead(t.Context())
	f.do(err)
	_, err = f.RegisterVerifiers(t.Context(), []issuer.Verifier{
		{ID: "honest", Server: "one", MaxStaleness: time.Second}, {ID: "hasty", Server: "one", MaxStaleness: time.Second}, {ID: "lost", Server: "one", MaxStaleness: time.Second},
	})
	f.do(err)
	beyond := revocation.Cursor{LogID: head.LogID, Sequence: head.Sequence + 1}
	f.do(f.AcknowledgeVerifiers(t.Context(), []issuer.Acknowledgement{
		{Verifier: "honest", Cursor: head.Cursor()}, {Verifier: "hasty", Cursor: beyond}, {Verifier: "nobody", Cursor: head.Cursor()},
		{Verifier: "lost", Cursor: revocation.Cursor{LogID: "another log", Sequence: head.Sequence}},
	}))
	all, err := f.Verifiers(t.Context())
	f.do(err)
	for _, v := range all {
		if known := v.Acknowledged.Covers(head.Cursor()); known != (v.ID == "honest") || v.Acknowledged.Covers(beyond) {
			t.Errorf("%+v", v)
		}
	}
	f.do(f.ForgetVerifiers(t.Context(), slices.DeleteFunc(all, func(v issuer.Verifier) bool { return v.ID == "lost" })))
	if all, err = f.Verifiers(t.Context()); err != nil || len(all) != 1 || all[0].ID != "lost" {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestAskedOnce: of servers that ask at once, the one that asks for less takes nothing back.
func TestAskedOnce(t *testing.T) {
	f := newFixture(t, config())
	var asking sync.WaitGroup
	for n := range 8 {
		asking.Go(func() { f.do(f.AskVerifiers(t.Context(), revocation.Cursor{LogID: "log", Sequence: uint64(n)})) })
	}
	asking.Wait()
	if asked, err := f.Asked(t.Context()); err != nil || asked.Sequence != 7 {
		t.Errorf("asked for %+v, %v", asked, err)
	}
}

// TestReceipt tells up to where in the log the rules of a call are, and nothing of calls that wrote none.
func TestReceipt(t *testing.T) {
	f := newFixture(t, config())
	tokens, others := f.login(), f.login()
	ctx, receipt := issuer.WithReceipt(t.Context())
	if _, err := f.Issuer.Subject(ctx, "ann"); err != nil {
		t.Fatal(err)
	}
	if c, written := receipt.Cursor(); written {
		t.Errorf("reading wrote up to %v", c)
	}
	f.do(f.EndSession(ctx, "ann", tokens.SessionID))
	f.do(f.EndSession(t.Context(), "ann", others.SessionID)) // somebody else's
	if c, written := receipt.Cursor(); !written || c.Sequence != 1 || c.LogID == "" {
		t.Errorf("ending a session wrote up to %v, %v", c, written)
	}
	f.do(f.RevokeEverything(ctx)) // in several transactions
	head, err := f.LogHead(t.Context())
	f.do(err)
	if c, _ := receipt.Cursor(); c != head.Cursor() {
		t.Errorf("ending all wrote up to %v, want %v", c, head.Cursor())
	}
}
