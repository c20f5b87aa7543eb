package revocation

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/jot-auth/jot"
)

// manyRules are rules about as many subjects.
func manyRules(count int) []Rule {
	rules := make([]Rule, count)
	for n := range rules {
		rules[n] = Rule{Kind: SubjectGeneration, Issuer: testIssuer, Value: fmt.Sprintf("subject-%012d", n), Minimum: 1, Expires: 1}
	}
	return rules
}

// strangers asks about subjects that no rule names: a million of them, one after the other in memory, so that what is
// measured is the set.
type strangers struct {
	text []byte
	next int
	jot.RevocationFacts
}

const strangerSize = len("nobodys-000000000000")

func newStrangers() *strangers {
	s := &strangers{RevocationFacts: jot.RevocationFacts{
		Issuer: []byte(testIssuer), ID: []byte("token"), SessionID: []byte("session"), ClientID: []byte("client_app"), KeyID: "key", IssuedAt: 1, HasIssuedAt: true,
	}}
	for n := range 1_000_000 {
		s.text = fmt.Appendf(s.text, "nobodys-%012d", n)
	}
	return s
}

func (s *strangers) ask() *jot.RevocationFacts {
	s.Subject = s.text[s.next : s.next+strangerSize]
	if s.next += strangerSize; s.next == len(s.text) {
		s.next = 0
	}
	return &s.RevocationFacts
}

func BenchmarkVerdict(b *testing.B) {
	for _, count := range []int{1_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("rules=%d", count), func(b *testing.B) {
			set, asked := newSet(b, manyRules(count)...), newStrangers()
			runtime.GC()
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				if set.Verdict(asked.ask()) != jot.Current {
					b.Fatal("a token that no rule names is refused")
				}
			}
		})
	}
}

// BenchmarkVerdictOfMap is what a verifier would do without a set: one look into a map under a lock.
func BenchmarkVerdictOfMap(b *testing.B) {
	rules := make(map[string]int64)
	for _, r := range manyRules(1_000_000) {
		rules[r.Value] = r.Minimum
	}
	var lock sync.RWMutex
	asked := newStrangers()
	for b.Loop() {
		lock.RLock()
		if rules[string(asked.ask().Subject)] != 0 {
			b.Fatal("a token that no rule names is refused")
		}
		lock.RUnlock()
	}
}

func BenchmarkVerdictOfSyncMap(b *testing.B) {
	var rules sync.Map
	for _, r := range manyRules(1_000_000) {
		rules.Store(r.Value, r.Minimum)
	}
	asked := newStrangers()
	for b.Loop() {
		if _, found := rules.Load(string(asked.ask().Subject)); found {
			b.Fatal("a token that no rule names is refused")
		}
	}
}

func BenchmarkApplyMillion(b *testing.B) {
	rules := manyRules(1_000_000)
	for b.Loop() {
		newSet(b, rules...)
	}
}
