package revocation

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
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
	case BareSession:
		refused = r.Value == string(f.SessionID)
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

// merged are rules by what they are about: those whose numbers need more than 32 bits apart.
func merged(rules []Rule) map[Rule]limit {
	all := make(map[Rule]limit)
	for _, r := range rules {
		about := Rule{Kind: r.Kind, Issuer: r.Issuer, Value: r.Value, Subject: r.Subject}
		if packedKinds[r.Kind] != 0 && r.Expires > math.MaxUint32 {
			about.Expires = 1
		}
		all[about] = all[about].merge(limit{r.Minimum, r.Expires})
	}
	return all
}

// distant are the rules of the universe with numbers that a century away may bring.
func distant() (rules []Rule) {
	for _, r := range universe() {
		if r.Expires == 0 {
			continue
		}
		if r.Expires += 1 << 40; r.Minimum > 2 {
			r.Minimum += 1 << 40
		}
		rules = append(rules, r)
	}
	return rules
}

func TestOrderAndReplaysNeverMatter(t *testing.T) {
	rules, facts := append(universe(), distant()...), tokens()
	for _, f := range tokens() {
		f.Generation, f.IssuedAt = f.Generation+1<<40, f.IssuedAt+1<<40
		facts = append(facts, f)
	}
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
		if once.Len() != len(merged(some)) || replayed.Len() != once.Len() {
			t.Fatalf("seed %d: %d and %d rules about %d things", seed, once.Len(), replayed.Len(), len(merged(some)))
		}
		for _, f := range facts {
			want := naive(some, f)
			if once.Verdict(f) != want || replayed.Verdict(f) != want {
				t.Fatalf("seed %d: %s: %v, %v, want %v", seed, describe(f), once.Verdict(f), replayed.Verdict(f), want)
			}
		}
	}
}

func TestSweepDropsWhatExpired(t *testing.T) {
	all := append(universe(), distant()...)
	s := newSet(t, all...)
	facts := tokens()
	for _, now := range []int64{1999, 2000, 2001, 5000, 5001, 2000 + 1<<40, 2001 + 1<<40, 5001 + 1<<40} {
		s.Sweep(time.Unix(now, 0))
		var left []Rule
		for about, l := range merged(all) {
			if about.Minimum, about.Expires = l.minimum, l.expires; l.expires == 0 || l.expires >= now {
				left = append(left, about)
			}
		}
		if s.Len() != len(left) {
			t.Errorf("at %d: %d rules, want %d", now, s.Len(), len(left))
		}
		for _, f := range facts {
			if got, want := s.Verdict(f), naive(left, f); got != want {
				t.Fatalf("at %d: %v for %s, want %v", now, got, describe(f), want)
			}
		}
	}
	if s.Len() != 4 || len(s.revokedKeys()) != 4 {
		t.Errorf("%d rules are left, of them %d about keys, want 4", s.Len(), len(s.revokedKeys()))
	}
	if err := s.Apply(universe()...); err != nil || s.Len() != len(merged(universe())) {
		t.Errorf("after all came back: %d rules, %v", s.Len(), err)
	}
}

func TestApplyLeavesInvalidRulesOut(t *testing.T) {
	good := Rule{Kind: Key, Issuer: testIssuer, Value: "k"}
	s := NewSet()
	if err := s.Apply(Rule{}, good); err == nil {
		t.Error("no error for an invalid rule")
	}
	if got := s.revokedKeys(); s.Len() != 1 || !slices.Equal(got, []Rule{good}) {
		t.Errorf("%v", got)
	}
}

// A set that grows, shrinks and grows again refuses what was put into it, and nothing else.
func TestGrowth(t *testing.T) {
	s := NewSet()
	for round := range int64(4) {
		for n := range 3000 {
			subject := fmt.Sprint("subject", n)
			if err := s.Apply(Rule{Kind: Session, Issuer: testIssuer, Value: fmt.Sprint(round, n), Subject: subject, Expires: 10 + round}); err != nil {
				t.Fatal(err)
			}
		}
		if s.Len() != 3000 {
			t.Errorf("round %d: %d rules", round, s.Len())
		}
		for n := range 3000 {
			for asked := range round + 2 {
				f := &jot.RevocationFacts{Issuer: []byte(testIssuer), Subject: fmt.Append(nil, "subject", n), SessionID: fmt.Append(nil, asked, n)}
				if got, want := s.Verdict(f) == jot.Revoked, asked == round; got != want {
					t.Fatalf("round %d: session %s is revoked: %v", round, f.SessionID, got)
				}
			}
		}
		s.Sweep(time.Unix(11+round, 0))
	}
	if s.Len() != 0 {
		t.Errorf("%d rules are left", s.Len())
	}
}

// A rule that was applied is seen by every reader from then on, whatever the writer does: the table grows, is swept and
// grows again.
func TestReadersNeverMiss(t *testing.T) {
	const rules = 5_000
	s, applied := NewSet(), atomic.Int64{}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(1, 2))
			for last := int64(0); last < rules; {
				last = applied.Load()
				if last == 0 {
					continue
				}
				n := random.Int64N(last)
				f := &jot.RevocationFacts{Issuer: []byte(testIssuer), Subject: fmt.Append(nil, n%100), ID: fmt.Append(nil, "token", n)}
				if s.Verdict(f) != jot.Revoked {
					t.Errorf("rule %d of %d is missed", n, last)
					return
				}
			}
		})
	}
	for n := range rules {
		keep := Rule{Kind: TokenID, Issuer: testIssuer, Value: fmt.Sprint("token", n), Subject: fmt.Sprint(n % 100), Expires: 1 << 20}
		passing := Rule{Kind: SubjectGeneration, Issuer: testIssuer, Value: fmt.Sprint("passing", n), Minimum: 1, Expires: 1}
		if err := s.Apply(keep, passing); err != nil {
			t.Fatal(err)
		}
		applied.Store(int64(n + 1))
		if n%200 == 0 {
			s.Sweep(time.Unix(2, 0))
		}
	}
	readers.Wait()
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

func describe(f *jot.RevocationFacts) string {
	return fmt.Sprintf("iss %s sub %s sid %s jti %s client %s kid %s iat %d (%v) gen %d", f.Issuer, f.Subject, f.SessionID, f.ID, f.ClientID, f.KeyID, f.IssuedAt, f.HasIssuedAt, f.Generation)
}

// An index holds as many entries as it was made for: a snapshot isn't loaded twice.
func TestIndexHoldsWhatItWasMadeFor(t *testing.T) {
	for entries := range 10_000 {
		i := newIndex(entries)
		if i.capacity() < entries || i.capacity() >= len(i.table) {
			t.Fatalf("an index for %d holds %d, in a table of %d", entries, i.capacity(), len(i.table))
		}
	}
}

// compareRules orders rules by what they are about, then by how far they reach.
func compareRules(a, b Rule) int {
	return cmp.Or(
		cmp.Compare(a.Issuer, b.Issuer), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Value, b.Value), cmp.Compare(a.Subject, b.Subject),
		cmp.Compare(a.Minimum, b.Minimum), cmp.Compare(a.Expires, b.Expires))
}
