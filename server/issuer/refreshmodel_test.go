package issuer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// promise is what the refresh rule is for. Whatever breaks one names it.
type promise string

const (
	oneLine       promise = "never two live lines of descent"
	theBargain    promise = "never is a user logged out who kept the client's side of the bargain"
	replayEnds    promise = "a replayed burned or older token always ends the session"
	accessRefused promise = "what was ended, banned, outdated or revoked is refused, and nothing else"
	claimsFresh   promise = "an access token is never older than the last acknowledged change"
	unchanged     promise = "refused means unchanged"
	deadStaysDead promise = "nothing is issued for a banned subject or a session that is over"
	durable       promise = "what was acknowledged survives"
)

func (p promise) broken(format string, args ...any) error {
	return fmt.Errorf("%s: %s", p, fmt.Sprintf(format, args...))
}

// model is what the issuer promises, told plainly: by the tokens themselves rather than by counters, in one thread,
// with nothing of the issuer's code. Each of its methods takes an answer of the issuer, says whether it is allowed, and
// what follows.
type model struct {
	config   issuer.Config
	now      time.Time
	subjects map[string]person
	sessions map[string]login
	revoked  map[string]bool   // key IDs
	owner    map[string]string // the session of each refresh token that was ever seen
	events   map[issuer.EventKind]int
}

// person is a subject.
type person struct {
	generation uint64
	hard, soft uint64 // tokens of earlier generations are refused, or come with the advice to refresh
	role       string
	disabled   bool
}

// login is a session. Its token good earns the next one; before is the one that earned good; spent ones were rotated
// away or burned.
type login struct {
	subject            string
	good, before       string // good is "" while only the server knows it
	spent              []string
	rotated, idle, end time.Time
	ended              issuer.EndReason
	access             []accessToken
	attacked           bool // somebody who doesn't share the store presented one of its tokens
}

// accessToken is one that a client got.
type accessToken struct {
	raw, key   string
	generation uint64
	expires    time.Time
}

// reply is an answer of the issuer.
type reply struct {
	err    error
	lost   bool // the commit is there and its answer got lost
	tokens issuer.Tokens
}

func newModel(c issuer.Config, now time.Time) *model {
	return &model{
		config: c, now: now, subjects: map[string]person{}, sessions: map[string]login{},
		revoked: map[string]bool{}, owner: map[string]string{}, events: map[issuer.EventKind]int{},
	}
}

// clone returns a model that goes its own way.
func (m *model) clone() *model {
	c := *m
	c.subjects, c.sessions, c.revoked = maps.Clone(m.subjects), maps.Clone(m.sessions), maps.Clone(m.revoked)
	c.owner, c.events = maps.Clone(m.owner), maps.Clone(m.events)
	for id, s := range c.sessions {
		s.spent, s.access = slices.Clip(s.spent), slices.Clip(s.access) // so that whoever appends copies
		c.sessions[id] = s
	}
	return &c
}

// nothingHappened is a server that couldn't decide.
func (r reply) nothingHappened() bool {
	return !r.lost && (errors.Is(r.err, issuer.ErrUnavailable) || errors.Is(r.err, issuer.ErrBusy))
}

// done reports whether a change took place, for one that can't be refused.
func (r reply) done() (bool, error) {
	if r.err == nil || r.lost {
		return true, nil
	}
	if r.nothingHappened() {
		return false, nil
	}
	return false, fmt.Errorf("a change that is always allowed was refused: %w", r.err)
}

func (s login) over(now time.Time) bool {
	return s.ended != "" || !now.Before(s.idle) || !now.Before(s.end)
}

// lastSecond: an access token would expire with its session, before it begins.
func (s login) lastSecond(now time.Time) bool {
	return !s.end.Truncate(time.Second).After(now.Truncate(time.Second))
}

func (m *model) logIn(subject string, r reply) error {
	p := m.subjects[subject]
	if r.nothingHappened() || r.lost {
		return nil // nobody knows that session
	}
	if p.disabled {
		return m.refused(r)
	}
	if r.err != nil {
		return fmt.Errorf("a login was refused: %w", r.err)
	}
	s := login{subject: subject, rotated: m.now, idle: m.now.Add(m.config.IdleTTL), end: m.now.Add(m.config.AbsoluteTTL)}
	if err := m.take(&s, r.tokens, true); err != nil {
		return err
	}
	s.good = r.tokens.Refresh
	m.sessions[r.tokens.SessionID] = s
	return nil
}

// refused checks an answer to what must not be accepted.
func (m *model) refused(r reply) error {
	if r.lost || errors.Is(r.err, issuer.ErrInvalidGrant) {
		return nil
	}
	return deadStaysDead.broken("got %v, want ErrInvalidGrant", r.err)
}

// take notes tokens that a client got. fresh ones must never have been seen.
func (m *model) take(s *login, t issuer.Tokens, fresh bool) error {
	owner, seen := m.owner[t.Refresh]
	if fresh && seen || seen && owner != t.SessionID {
		return oneLine.broken("a refresh token was given twice")
	}
	m.owner[t.Refresh] = t.SessionID
	access, role, err := readAccess(t.Access)
	if err != nil {
		return err
	}
	p := m.subjects[s.subject]
	if access.generation != p.generation || role != p.role {
		return claimsFresh.broken("generation %d with role %q, want %d with %q", access.generation, role, p.generation, p.role)
	}
	want := m.now.Truncate(time.Second).Add(m.config.AccessTTL)
	if end := s.end.Truncate(time.Second); end.Before(want) {
		want = end
	}
	if !access.expires.Equal(want) {
		return fmt.Errorf("an access token expires at %v, want %v", access.expires, want)
	}
	s.access = append(s.access, access)
	return nil
}

// readAccess reads an access token's claims without verifying it: whether it holds is another question.
func readAccess(raw string) (_ accessToken, role string, _ error) {
	var header struct {
		KeyID string `json:"kid"`
	}
	var claims struct {
		Generation uint64 `json:"gen"`
		Expires    int64  `json:"exp"`
		Role       string `json:"role"`
	}
	parts := jot.Inspect(raw)
	err := errors.Join(parts.Err(), json.Unmarshal(parts.Header.Decoded, &header), json.Unmarshal(parts.Payload.Decoded, &claims))
	return accessToken{raw, header.KeyID, claims.Generation, time.Unix(claims.Expires, 0)}, claims.Role, err
}

// present is the refresh rule.
func (m *model) present(sid, token string, r reply) error {
	if r.nothingHappened() {
		return nil
	}
	s := m.sessions[sid]
	defer func() { m.sessions[sid] = s }()
	switch {
	case s.over(m.now):
		return m.refused(r)
	case slices.Contains(s.spent, token):
		return m.reuse(&s, r)
	case s.lastSecond(m.now):
		return m.refused(r)
	case token == s.good:
		return m.rotate(&s, r)
	case token == s.before && m.now.Sub(s.rotated) <= m.config.RefreshGrace:
		return m.repeat(&s, r)
	case token == s.before:
		return m.replace(&s, r)
	}
	return fmt.Errorf("the test presented a token that session %s never had", sid)
}

func (m *model) reuse(s *login, r reply) error {
	if !r.lost && !errors.Is(r.err, issuer.ErrInvalidGrant) {
		return replayEnds.broken("got %v, want ErrInvalidGrant", r.err)
	}
	s.ended = issuer.EndedByReuse
	m.events[issuer.EventRefreshReused]++
	return nil
}

// rotate: the good token is used up, and there is a new one.
func (m *model) rotate(s *login, r reply) error {
	if s.before != "" {
		s.spent = append(s.spent, s.before)
	}
	s.before = s.good
	return m.renew(s, r)
}

// replace: the client never saw the good token, which is burned.
func (m *model) replace(s *login, r reply) error {
	if s.good != "" {
		s.spent = append(s.spent, s.good)
	}
	m.events[issuer.EventReplyLost]++
	return m.renew(s, r)
}

func (m *model) renew(s *login, r reply) error {
	s.good, s.rotated, s.idle = "", m.now, m.now.Add(m.config.IdleTTL)
	if r.lost {
		return nil
	}
	if r.err != nil {
		return theBargain.broken("a good token was refused: %v", r.err)
	}
	s.good = r.tokens.Refresh
	return m.take(s, r.tokens, true)
}

// repeat: everybody gets the token that the first one got.
func (m *model) repeat(s *login, r reply) error {
	if r.lost {
		return nil
	}
	if r.err != nil {
		return theBargain.broken("within the grace window the token before was refused: %v", r.err)
	}
	if s.good != "" && s.good != r.tokens.Refresh {
		return oneLine.broken("one token has two successors")
	}
	err := m.take(s, r.tokens, s.good == "")
	s.good = r.tokens.Refresh
	return err
}

func (m *model) end(sid string, why issuer.EndReason, r reply) error {
	done, err := r.done()
	if s := m.sessions[sid]; done && s.ended == "" {
		s.ended = why
		m.sessions[sid] = s
	}
	return err
}

func (m *model) endAll(subject string, why issuer.EndReason) {
	for id, s := range m.sessions {
		if s.subject == subject && s.ended == "" {
			s.ended = why
			m.sessions[id] = s
		}
	}
}

func (m *model) everywhere(subject string, r reply) error {
	done, err := r.done()
	if done {
		m.outdate(subject, false, m.subjects[subject].role)
		m.endAll(subject, issuer.EndedEverywhere)
	}
	return err
}

func (m *model) disable(subject string, r reply) error {
	done, err := r.done()
	if p := m.subjects[subject]; done && !p.disabled {
		m.outdate(subject, false, p.role)
		p = m.subjects[subject]
		p.disabled = true
		m.subjects[subject] = p
		m.endAll(subject, issuer.EndedByDisable)
	}
	return err
}

func (m *model) enable(subject string, r reply) error {
	done, err := r.done()
	if p := m.subjects[subject]; done {
		p.disabled = false
		m.subjects[subject] = p
	}
	return err
}

func (m *model) change(subject, role string, soft bool, r reply) error {
	done, err := r.done()
	if done {
		m.outdate(subject, soft, role)
	}
	return err
}

func (m *model) outdate(subject string, soft bool, role string) {
	p := m.subjects[subject]
	p.generation++
	p.role = role
	if soft {
		p.soft = p.generation
	} else {
		p.hard = p.generation
	}
	m.subjects[subject] = p
}

func (m *model) revokeKey(kid string, r reply) error {
	done, err := r.done()
	if done {
		m.revoked[kid] = true
	}
	return err
}

// accepts reports whether verifiers take an access token of a session, and whether they advise a refresh.
func (m *model) accepts(s login, a accessToken) (ok, advised bool) {
	p := m.subjects[s.subject]
	refused := s.ended != "" || a.generation < p.hard || m.revoked[a.key] || !m.now.Before(a.expires)
	return !refused, a.generation < p.soft
}
