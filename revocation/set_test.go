package revocation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

const (
	testIssuer  = "https://auth.example.com"
	otherIssuer = "https://other.example.com"
)

// naive answers for a list of rules, one by one, straight from what each kind means.
func naive(rules []Rule, f *jot.RevocationFacts) jot.Verdict {
	verdict := jot.Current
	for _, r := range rules {
		verdict = min(verdict, naiveOne(r, f))
	}
	return verdict
}

func naiveOne(r Rule, f *jot.RevocationFacts) jot.Verdict {
	if r.Issuer != string(f.Issuer) {
		return jot.Current
	}
	subject := string(f.Subject)
	old := !f.HasIssuedAt || f.IssuedAt < r.Minimum
	refused, as := false, jot.Revoked
	switch r.Kind {
	case TokenID:
		refused = r.Value == string(f.ID) && r.Subject == subject
	case Session:
		refused = r.Value == string(f.SessionID) && r.Subject == subject
	case SubjectGeneration:
		refused, as = r.Value == subject && int64(f.Generation) < r.Minimum, jot.StaleClaims
	case SubjectSoftGeneration:
		refused, as = r.Value == subject && int64(f.Generation) < r.Minimum, jot.RefreshAdvised
	case SubjectIssuedAt:
		refused = r.Value == subject && old
	case ClientIssuedAt:
		refused = r.Value == string(f.ClientID) && old
	case IssuerIssuedAt:
		refused = old
	case Key:
		refused = r.Value == f.KeyID
	}
	if refused {
		return as
	}
	return jot.Current
}

// universe is every rule over a small world: each kind, about two things, with two minimums, of two
// issuers.
func universe() []Rule {
	var rules []Rule
	for _, issuer := range []string{testIssuer, otherIssuer} {
		for kind, shape := range shapes {
			for _, value := range []string{"a", "b"} {
				for _, number := range []int64{2, 5} {
					r := Rule{Kind: kind, Issuer: issuer}
					if shape.value {
						r.Value = value
					}
					if shape.subject {
						r.Subject = []string{"a", "b"}[number%2]
					}
					if shape.minimum {
						r.Minimum = number
					}
					if shape.expires {
						r.Expires = 1000 * number
					}
					rules = append(rules, r)
				}
			}
		}
	}
	slices.SortFunc(rules, compareRules)
	return slices.Compact(rules)
}

// tokens are facts that meet the rules of universe below, at and above each of their limits.
func tokens() []*jot.RevocationFacts {
	var all []*jot.RevocationFacts
	for _, issuer := range []string{testIssuer, otherIssuer} {
		for _, number := range []int64{0, 2, 4, 5} {
			for bits := range 64 {
				pick := func(bit int) string { return []string{"a", "c"}[bits>>bit&1] }
				all = append(all, &jot.RevocationFacts{
					Issuer: []byte(issuer), Subject: []byte(pick(0)), SessionID: []byte(pick(1)), ID: []byte(pick(2)),
					ClientID: []byte(pick(3)), KeyID: pick(4), IssuedAt: number, HasIssuedAt: bits>>5 == 0,
					Generation: uint64(number),
				})
			}
		}
		all = append(all, &jot.RevocationFacts{Issuer: []byte(issuer)})
	}
	return append(all, &jot.RevocationFacts{})
}

func newSet(t testing.TB, rules ...Rule) *Set {
	t.Helper()
	s := NewSet()
	if err := s.Apply(rules...); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEachRuleAgainstTheModel(t *testing.T) {
	seen := map[jot.Verdict]int{}
	for _, r := range universe() {
		s := newSet(t, r)
		for _, f := range tokens() {
			want := naive([]Rule{r}, f)
			seen[want]++
			if got := s.Verdict(f); got != want {
				t.Fatalf("%+v: %v for %s, want %v", r, got, describe(f), want)
			}
		}
	}
	for _, v := range []jot.Verdict{jot.Revoked, jot.StaleClaims, jot.RefreshAdvised, jot.Current} {
		if seen[v] == 0 {
			t.Errorf("no case gave the verdict %v", v)
		}
	}
}

// No rule may hide another one: every ordered pair, of every kind.
func TestAllPairsOfRulesAgainstTheModel(t *testing.T) {
	rules, facts := universe(), tokens()
	for _, first := range rules {
		for _, second := range rules {
			pair := []Rule{first, second}
			s := newSet(t, pair...)
			for _, f := range facts {
				if got, want := s.Verdict(f), naive(pair, f); got != want {
					t.Fatalf("%+v then %+v: %v for %s, want %v", first, second, got, describe(f), want)
				}
			}
		}
	}
}

func TestOrderAndReplaysNeverMatter(t *testing.T) {
	rules, facts := universe(), tokens()
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		var some []Rule
		for range 1 + random.IntN(12) {
			some = append(some, rules[random.IntN(len(rules))])
		}
		once, replayed := newSet(t, some...), NewSet()
		again := slices.Concat(some, some, some[:random.IntN(len(some))])
		random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		for _, r := range again {
			if err := replayed.Apply(r); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(once.Rules(), replayed.Rules()) || once.Len() != len(once.Rules()) || replayed.Len() != once.Len() {
			t.Fatalf("seed %d: %v and %v", seed, once.Rules(), replayed.Rules())
		}
		restored := newSet(t, once.Rules()...)
		for _, f := range facts {
			want := naive(some, f)
			if once.Verdict(f) != want || replayed.Verdict(f) != want || restored.Verdict(f) != want {
				t.Fatalf("seed %d: %s: %v, %v, %v, want %v", seed, describe(f), once.Verdict(f), replayed.Verdict(f), restored.Verdict(f), want)
			}
		}
	}
}

func TestSweepDropsWhatExpired(t *testing.T) {
	s := newSet(t, universe()...)
	all := s.Rules()
	for _, now := range []int64{1999, 2000, 2001, 5000, 5001} {
		s.Sweep(time.Unix(now, 0))
		var want []Rule
		for _, r := range all {
			if r.Expires == 0 || r.Expires >= now {
				want = append(want, r)
			}
		}
		if got := s.Rules(); !slices.Equal(got, want) || s.Len() != len(want) {
			t.Fatalf("at %d: %d rules, want %d", now, len(got), len(want))
		}
	}
	for _, r := range s.Rules() {
		if r.Kind != Key {
			t.Errorf("%v is left after everything expired", r.Kind)
		}
	}
	if s.Len() != 4 {
		t.Errorf("%d key rules are left, want 4", s.Len())
	}
}

func TestReplaceForgets(t *testing.T) {
	f := &jot.RevocationFacts{Issuer: []byte(testIssuer), Subject: []byte("a"), ID: []byte("a")}
	s := newSet(t, Rule{Kind: TokenID, Issuer: testIssuer, Value: "a", Subject: "a", Expires: 9})
	if s.Verdict(f) != jot.Revoked {
		t.Fatal("the rule doesn't hold")
	}
	if err := s.Replace([]Rule{{Kind: TokenID, Issuer: testIssuer}}); err == nil || s.Verdict(f) != jot.Revoked {
		t.Fatalf("an invalid rule replaced the set: %v", err)
	}
	if err := s.Replace(nil); err != nil || s.Verdict(f) != jot.Current || s.Len() != 0 {
		t.Fatalf("the rule holds after Replace: %v", err)
	}
}

func TestApplyLeavesInvalidRulesOut(t *testing.T) {
	good := Rule{Kind: Key, Issuer: testIssuer, Value: "k"}
	s := NewSet()
	if err := s.Apply(Rule{}, good); err == nil {
		t.Error("no error for an invalid rule")
	}
	if got := s.Rules(); !slices.Equal(got, []Rule{good}) {
		t.Errorf("%v", got)
	}
}

func TestVerdictDoesNotAllocate(t *testing.T) {
	s := newSet(t, universe()...)
	for _, f := range tokens() {
		if n := testing.AllocsPerRun(10, func() { s.Verdict(f) }); n != 0 {
			t.Fatalf("%v allocations for %s", n, describe(f))
		}
	}
}

func TestSetIsSafeForConcurrentUse(t *testing.T) {
	s, rules := NewSet(), universe()
	f := &jot.RevocationFacts{Issuer: []byte(testIssuer), Subject: []byte("a"), KeyID: "a"}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 200 {
				if err := s.Apply(rules[(i*j)%len(rules)]); err != nil {
					t.Error(err)
				}
				s.Verdict(f)
				s.Sweep(time.Unix(int64(j), 0))
			}
		})
	}
	wg.Wait()
	if err := s.Apply(Rule{Kind: Key, Issuer: testIssuer, Value: "a"}); err != nil || s.Verdict(f) != jot.Revoked {
		t.Errorf("the rule is not there: %v", err)
	}
}

func BenchmarkVerdict(b *testing.B) {
	s := NewSet()
	for i := range 1_000_000 {
		subject := fmt.Sprintf("sub_%d", i)
		if err := s.Apply(Rule{Kind: SubjectGeneration, Issuer: testIssuer, Value: subject, Minimum: 1, Expires: 1}); err != nil {
			b.Fatal(err)
		}
	}
	var facts []*jot.RevocationFacts
	for i := range 1 << 16 {
		facts = append(facts, &jot.RevocationFacts{
			Issuer: []byte(testIssuer), Subject: fmt.Appendf(nil, "nobody_%d", i), ID: fmt.Appendf(nil, "jti_%d", i), SessionID: fmt.Appendf(nil, "sid_%d", i),
			ClientID: []byte("client_app"), KeyID: "key", IssuedAt: 1, HasIssuedAt: true,
		})
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if s.Verdict(facts[i&(1<<16-1)]) != jot.Current {
			b.Fatal("a token that no rule names is refused")
		}
		i++
	}
}

func describe(f *jot.RevocationFacts) string {
	return fmt.Sprintf("iss %s sub %s sid %s jti %s client %s kid %s iat %d (%v) gen %d", f.Issuer, f.Subject, f.SessionID, f.ID, f.ClientID, f.KeyID, f.IssuedAt, f.HasIssuedAt, f.Generation)
}
