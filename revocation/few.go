package revocation

import (
	"maps"

	"github.com/jot-auth/jot"
)

// few are the rules about keys, clients and a whole issuer, and those with numbers that the index can't hold. It never
// changes: who adds a rule makes another one.
type few struct {
	limits map[subjectMatter]limit
	kinds  map[Kind]bool // that there are
}

// subjectMatter is what a rule is about.
type subjectMatter struct {
	kind          Kind
	issuer, value string
	tag           tag // of the subject
}

// limit is what rules about the same thing merge into.
type limit struct{ minimum, expires int64 }

func (l limit) merge(m limit) limit {
	return limit{max(l.minimum, m.minimum), max(l.expires, m.expires)}
}

// before reports whether the token was issued before the limit. A token that doesn't say when it was
// issued was.
func (l limit) before(f *jot.RevocationFacts) bool {
	return l.minimum > 0 && (!f.HasIssuedAt || f.IssuedAt < l.minimum)
}

// copy returns others, which may be changed until somebody reads them.
func (f *few) copy() *few {
	if f.limits == nil {
		return &few{make(map[subjectMatter]limit), make(map[Kind]bool)}
	}
	return &few{maps.Clone(f.limits), maps.Clone(f.kinds)}
}

func (f *few) add(r *record) {
	about := subjectMatter{r.kind, string(r.issuer), string(r.value), r.tag}
	f.limits[about] = f.limits[about].merge(limit{r.minimum, r.expires})
	f.kinds[r.kind] = true
}

// without returns what is left of the rules after some have expired.
func (f *few) without(now int64) *few {
	left := &few{make(map[subjectMatter]limit), make(map[Kind]bool)}
	for about, l := range f.limits {
		if l.expires == 0 || l.expires >= now {
			left.limits[about], left.kinds[about.kind] = l, true
		}
	}
	return left
}

func (f *few) verdict(t *jot.RevocationFacts, subject tag) jot.Verdict {
	about := func(kind Kind, value []byte, tag tag) limit {
		if !f.kinds[kind] {
			return limit{}
		}
		return f.limits[subjectMatter{kind, string(t.Issuer), string(value), tag}]
	}
	switch {
	case f.has(Session, t.Issuer, t.SessionID, subject), f.has(TokenID, t.Issuer, t.ID, subject), f.hasBareSession(t), f.revokesKey(t),
		about(IssuerIssuedAt, nil, 0).before(t), about(SubjectIssuedAt, t.Subject, subject).before(t), about(ClientIssuedAt, t.ClientID, 0).before(t):
		return jot.Revoked
	case t.Generation < uint64(about(SubjectGeneration, t.Subject, subject).minimum):
		return jot.StaleClaims
	case t.Generation < uint64(about(SubjectSoftGeneration, t.Subject, subject).minimum):
		return jot.RefreshAdvised
	}
	return jot.Current
}

func (f *few) has(kind Kind, issuer, value []byte, subject tag) bool {
	if !f.kinds[kind] {
		return false
	}
	_, ok := f.limits[subjectMatter{kind, string(issuer), string(value), subject}]
	return ok
}

// hasBareSession looks for the session where one without a subject stands: under the tag of its own ID.
func (f *few) hasBareSession(t *jot.RevocationFacts) bool {
	return f.kinds[BareSession] && f.has(BareSession, t.Issuer, t.SessionID, tagOf(t.SessionID))
}

func (f *few) revokesKey(t *jot.RevocationFacts) bool {
	if !f.kinds[Key] {
		return false
	}
	_, ok := f.limits[subjectMatter{Key, string(t.Issuer), t.KeyID, 0}]
	return ok
}

// refusesUpTo is the time before which every token of an issuer was issued too early; 0 when none was.
func (f *few) refusesUpTo(issuer string) int64 {
	return f.limits[subjectMatter{kind: IssuerIssuedAt, issuer: issuer}].minimum
}

// keys are the rules about keys.
func (f *few) keys() []Rule {
	var rules []Rule
	for about := range f.limits {
		if about.kind == Key {
			rules = append(rules, Rule{Kind: Key, Issuer: about.issuer, Value: about.value})
		}
	}
	return rules
}
