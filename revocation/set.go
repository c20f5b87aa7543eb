package revocation

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jot-auth/jot"
)

// Set holds the rules that are in force and answers which tokens they refuse. Rules of one kind about
// the same thing merge into the strictest of them, so the order in which rules arrive and how often
// they do never matters. It is safe for concurrent use.
type Set struct {
	mu      sync.RWMutex
	issuers map[string]*issuerRules
	size    int
}

// NewSet returns a set without rules.
func NewSet() *Set {
	return &Set{issuers: make(map[string]*issuerRules)}
}

// issuerRules are the rules of one issuer, a table for each kind.
type issuerRules struct {
	tokens          map[owned]limit
	sessions        map[owned]limit
	generations     map[string]limit
	softGenerations map[string]limit
	subjects        map[string]limit
	clients         map[string]limit
	keys            map[string]limit
	all             map[string]limit // IssuerIssuedAt, under the empty text
}

// owned is an identifier together with the subject that it belongs to.
type owned struct{ value, subject string }

// limit is what rules about the same thing merge into.
type limit struct{ minimum, expires int64 }

func (l limit) merge(m limit) limit {
	return limit{max(l.minimum, m.minimum), max(l.expires, m.expires)}
}

// Apply adds the rules. It leaves out those that don't pass Validate and returns the first such error.
func (s *Set) Apply(rules ...Rule) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed error
	for _, r := range rules {
		if err := r.Validate(); err != nil {
			failed = cmp.Or(failed, err)
		} else if s.issuer(r.Issuer).add(r) {
			s.size++
		}
	}
	return failed
}

func (s *Set) issuer(name string) *issuerRules {
	rules := s.issuers[name]
	if rules == nil {
		rules = &issuerRules{
			tokens: make(map[owned]limit), sessions: make(map[owned]limit),
			generations: make(map[string]limit), softGenerations: make(map[string]limit),
			subjects: make(map[string]limit), clients: make(map[string]limit),
			keys: make(map[string]limit), all: make(map[string]limit),
		}
		s.issuers[name] = rules
	}
	return rules
}

// add merges the rule and reports whether it is about something new.
func (i *issuerRules) add(r Rule) bool {
	l := limit{r.Minimum, r.Expires}
	switch r.Kind {
	case TokenID:
		return put(i.tokens, owned{r.Value, r.Subject}, l)
	case Session:
		return put(i.sessions, owned{r.Value, r.Subject}, l)
	default:
		return put(i.named(r.Kind), r.Value, l)
	}
}

// named returns the table of a kind of rule that carries no subject of its own.
func (i *issuerRules) named(k Kind) map[string]limit {
	switch k {
	case SubjectGeneration:
		return i.generations
	case SubjectSoftGeneration:
		return i.softGenerations
	case SubjectIssuedAt:
		return i.subjects
	case ClientIssuedAt:
		return i.clients
	case Key:
		return i.keys
	default:
		return i.all
	}
}

func put[K comparable](table map[K]limit, key K, l limit) bool {
	before, known := table[key]
	table[key] = before.merge(l)
	return !known
}

// Verdict returns the strictest answer of the rules that match the token, and jot.Current when none
// does. It doesn't allocate.
func (s *Set) Verdict(f *jot.RevocationFacts) jot.Verdict {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rules := s.issuers[string(f.Issuer)]
	switch {
	case rules == nil:
		return jot.Current
	case rules.revoked(f):
		return jot.Revoked
	case f.Generation < uint64(rules.generations[string(f.Subject)].minimum):
		return jot.StaleClaims
	case f.Generation < uint64(rules.softGenerations[string(f.Subject)].minimum):
		return jot.RefreshAdvised
	}
	return jot.Current
}

func (i *issuerRules) revoked(f *jot.RevocationFacts) bool {
	if _, ok := i.keys[f.KeyID]; ok {
		return true
	}
	if _, ok := i.sessions[owned{string(f.SessionID), string(f.Subject)}]; ok {
		return true
	}
	if _, ok := i.tokens[owned{string(f.ID), string(f.Subject)}]; ok {
		return true
	}
	return i.all[""].before(f) || i.subjects[string(f.Subject)].before(f) || i.clients[string(f.ClientID)].before(f)
}

// before reports whether the token was issued before the limit. A token that doesn't say when it was
// issued was.
func (l limit) before(f *jot.RevocationFacts) bool {
	return l.minimum > 0 && (!f.HasIssuedAt || f.IssuedAt < l.minimum)
}

// Sweep drops the rules that have expired at the given time.
func (s *Set) Sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = 0
	for name, rules := range s.issuers {
		left := rules.sweep(now.Unix())
		if left == 0 {
			delete(s.issuers, name)
		}
		s.size += left
	}
}

// sweep drops expired rules and returns how many are left.
func (i *issuerRules) sweep(now int64) int {
	expired := func(l limit) bool { return l.expires != 0 && l.expires < now }
	left := 0
	for _, table := range []map[owned]limit{i.tokens, i.sessions} {
		maps.DeleteFunc(table, func(_ owned, l limit) bool { return expired(l) })
		left += len(table)
	}
	for _, table := range []map[string]limit{i.generations, i.softGenerations, i.subjects, i.clients, i.keys, i.all} {
		maps.DeleteFunc(table, func(_ string, l limit) bool { return expired(l) })
		left += len(table)
	}
	return left
}

// Len returns the number of merged rules.
func (s *Set) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.size
}

// Rules returns the merged rules in a fixed order, as a snapshot holds them.
func (s *Set) Rules() []Rule {
	s.mu.RLock()
	all := make([]Rule, 0, s.size)
	for name, rules := range s.issuers {
		all = rules.appendTo(all, name)
	}
	s.mu.RUnlock()
	slices.SortFunc(all, compareRules)
	return all
}

func (i *issuerRules) appendTo(all []Rule, issuer string) []Rule {
	for kind, table := range map[Kind]map[owned]limit{TokenID: i.tokens, Session: i.sessions} {
		for key, l := range table {
			all = append(all, Rule{Kind: kind, Issuer: issuer, Value: key.value, Subject: key.subject, Expires: l.expires})
		}
	}
	for _, kind := range []Kind{SubjectGeneration, SubjectSoftGeneration, SubjectIssuedAt, ClientIssuedAt, IssuerIssuedAt, Key} {
		for value, l := range i.named(kind) {
			all = append(all, Rule{Kind: kind, Issuer: issuer, Value: value, Minimum: l.minimum, Expires: l.expires})
		}
	}
	return all
}

// Replace drops every rule and holds these instead. Concurrent readers see the old rules or the new
// ones, never a mixture. When a rule doesn't pass Validate it changes nothing and returns the error.
func (s *Set) Replace(rules []Rule) error {
	fresh := NewSet()
	if err := fresh.Apply(rules...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issuers, s.size = fresh.issuers, fresh.size
	return nil
}
