package jottest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// beat is the time between two heartbeats; often enough that a reader soon sees that the clock was moved.
const beat = 100 * time.Millisecond

// feed is the issuer's revocation log, and what is served of it.
type feed struct {
	issuer *Issuer
	rules  *revocation.Set
	signer *jot.Signer
	keys   *jot.KeySet
	began  time.Time

	mu      sync.Mutex
	log     []revocation.Rule
	head    revocation.Head
	failing bool
	changed chan struct{} // closed at the next change
	closed  chan struct{}
}

func newFeed(i *Issuer) *feed {
	i.tb.Helper()
	key := pool.key(i.tb, jot.EdDSA)
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: revocation.StatementType})
	if err != nil {
		i.tb.Fatalf("jottest: %v", err)
	}
	return &feed{
		issuer: i, rules: revocation.NewSet(), signer: signer, keys: jot.NewKeySet(key.Public()), began: time.Now(),
		head: revocation.NewLog(rand.Text()), changed: make(chan struct{}), closed: make(chan struct{}),
	}
}

// change alters the feed and wakes its streams.
func (f *feed) change(alter func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	alter()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feed) append(rule revocation.Rule) error {
	if err := f.rules.Apply(rule); err != nil {
		return err
	}
	f.change(func() {
		f.log = append(f.log, rule)
		f.head = f.head.Append(rule)
	})
	return nil
}

func (f *feed) setFailing(failing bool) { f.change(func() { f.failing = failing }) }

func (f *feed) fails() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failing
}

func (f *feed) end() revocation.Head {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head
}

// close ends the streams.
func (f *feed) close() { close(f.closed) }

// statement dates a head. The feed's time goes on, for a feed that stands still is one that is lost; and it jumps with
// the issuer's clock.
func (f *feed) statement(head revocation.Head, nonce string) revocation.Statement {
	return revocation.Statement{Head: head, Time: f.issuer.Clock.Now().Add(time.Since(f.began)), MaxTTL: maxTTL, Nonce: nonce}
}

// protect lets readers with the credential through while the feed doesn't fail.
func (f *feed) protect(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case f.fails():
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.Header.Get("Authorization") != "Bearer "+f.issuer.FeedCredential:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			next(w, r)
		}
	}
}

func (f *feed) snapshot(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	head, rules := f.head, slices.Clone(f.log)
	f.mu.Unlock()
	var snapshot revocation.Snapshot
	for _, rule := range rules {
		if err := snapshot.Add(rule); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	body, err := snapshot.Encode(r.Context(), f.signer, f.issuer.URL, f.statement(head, ""))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", revocation.SnapshotType)
	w.Write(body)
}

// live streams what follows a place in the log, and heartbeats, until the reader leaves or the feed fails.
func (f *feed) live(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	after, err := strconv.ParseUint(query.Get("after"), 10, 64)
	head := f.end()
	if err != nil || query.Get("log") != head.LogID || after > head.Sequence || head.Sequence-after > revocation.MaxFrameRules {
		w.WriteHeader(http.StatusConflict) // the reader needs a snapshot
		return
	}
	w.Header().Set("Content-Type", revocation.FrameType)
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for nonce := query.Get("nonce"); ; nonce = "" {
		data, next, changed := f.frame(r, after, nonce)
		if data == nil {
			return
		}
		w.Write(data) // to a reader that is gone, until its context ends
		http.NewResponseController(w).Flush()
		after = next
		select {
		case <-ticker.C:
		case <-changed:
		case <-f.closed:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// frame makes the frame that leads from one place in the log to its end. It answers no data when the feed fails, and
// when there are more rules than one frame may carry: then the reader connects again, and learns that it needs a
// snapshot.
func (f *feed) frame(r *http.Request, after uint64, nonce string) (data []byte, next uint64, changed <-chan struct{}) {
	f.mu.Lock()
	head, rules, failing := f.head, f.log[after:], f.failing
	changed = f.changed
	f.mu.Unlock()
	if failing {
		return nil, 0, nil
	}
	signed, err := f.statement(head, nonce).Sign(r.Context(), f.signer, f.issuer.URL)
	if err != nil {
		return nil, 0, nil
	}
	data, err = revocation.Frame{Sequence: head.Sequence, Rules: rules, Statement: signed}.AppendTo(nil)
	if err != nil {
		return nil, 0, nil
	}
	return data, head.Sequence, changed
}
