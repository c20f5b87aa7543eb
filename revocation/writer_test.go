package revocation

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// A writer that does nothing else, 100,000 rules and more a second, in batches as frames bring them: the readers find
// every rule from the moment that it was applied. The table is made anew many times on the way, and rules that expire
// are swept out of it. The rate is told, not tested: it's the machine's.
func TestReadersMissNothingOfAWriterAtFullSpeed(t *testing.T) {
	const rules, batch = 50_000, 100
	var frames [rules / batch][]Rule
	for n := range rules {
		text := fmt.Sprintf("%08d", n)
		frame := &frames[n/batch]
		*frame = append(*frame, Rule{Kind: Session, Issuer: testIssuer, Value: text, Subject: text[5:], Expires: 1 << 20})
		if n%4 == 0 {
			*frame = append(*frame, Rule{Kind: SubjectGeneration, Issuer: testIssuer, Value: "passing " + text, Minimum: 1, Expires: 1})
		}
	}
	s := NewSet()
	var applied, asked atomic.Int64
	var readers sync.WaitGroup
	for reader := range uint64(2) {
		readers.Go(func() { // ends when all rules are applied
			random := rand.New(rand.NewPCG(reader, 8))
			f := &jot.RevocationFacts{Issuer: []byte(testIssuer)}
			for last := int64(0); last < rules; asked.Add(1) {
				if last = applied.Load(); last == 0 {
					continue
				}
				n := last - 1 - random.Int64N(1+random.Int64N(last)) // the newest more often
				r := &frames[n/batch][n%batch+(n%batch+3)/4]
				f.Subject, f.SessionID = []byte(r.Subject), []byte(r.Value)
				if s.Verdict(f) != jot.Revoked {
					t.Errorf("rule %d of %d is missed: %+v", n, last, r)
					return
				}
			}
		})
	}
	began, all := time.Now(), 0
	for n, frame := range frames {
		if err := s.Apply(frame...); err != nil {
			t.Fatal(err)
		}
		all += len(frame)
		applied.Store(int64(n+1) * batch)
		if n%200 == 0 {
			s.Sweep(time.Unix(2, 0))
		}
	}
	took := time.Since(began)
	readers.Wait()
	t.Logf("%.0f rules a second, and %d questions beside them", float64(all)/took.Seconds(), asked.Load())
	if s.Sweep(time.Unix(2, 0)); s.Len() != rules {
		t.Errorf("%d rules, want %d", s.Len(), rules)
	}
}

// Whatever a writer is at, readers don't wait for it. This test would hang.
func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	rule := Rule{Kind: Session, Issuer: testIssuer, Value: "s", Subject: "a", Expires: 1}
	s := newSet(t, rule, Rule{Kind: Key, Issuer: testIssuer, Value: "k"})
	s.writing.Lock()
	defer s.writing.Unlock()
	f := &jot.RevocationFacts{Issuer: []byte(testIssuer), Subject: []byte("a"), SessionID: []byte("s"), KeyID: "other"}
	if got := s.Verdict(f); got != jot.Revoked {
		t.Errorf("%v", got)
	}
}
