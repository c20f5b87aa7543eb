package issuer

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/strictjson"
)

// maxClaims bounds a subject's claims: together with the issuer's own ones and a signature, as many fit into a cookie.
const maxClaims = 2 << 10

// Subject is whom tokens are about: a person, or a client that acts for itself.
type Subject struct {
	ID         string          // sub
	Generation uint64          // gen: counts what makes its tokens stale, from 1
	Claims     json.RawMessage // a JSON object whose members go into every access token; compact
	Scope      []string        // the widest scope that its tokens can have
	Disabled   bool            // gets no tokens
	Created    time.Time
	Deleted    time.Time // zero while it exists: what is left of a deleted one keeps its generations from coming again
	Ending     Ending    // when all its sessions last ended together
}

// NewSubject makes a subject with a random ID, to be stored with CreateSubject or by a store of accounts. Claims
// are a JSON object of at most 2 KiB that leaves the names alone which the issuer sets itself or which other RFCs
// give a meaning to, in any letter case; nil is none. Anything else is an *InputError.
func NewSubject(claims json.RawMessage, scope []string) (Subject, error) {
	claims, err := checkClaims(claims)
	if err := errors.Join(err, checkScope(scope)); err != nil {
		return Subject{}, err
	}
	return Subject{ID: rand.Text(), Generation: 1, Claims: claims, Scope: scope}, nil
}

// reservedClaims are the names that a subject's claims must leave alone: what the issuer sets itself, and what a
// verifier would take for a statement of the issuer (RFC 7519, 7800, 8693, 9068, OpenID Connect Core).
var reservedClaims = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "sid", "gen", "scope", "scp", "auth_time", "amr", "acr",
	"azp", "nonce", "cnf", "act", "may_act", "at_hash", "c_hash", "s_hash", "events", "typ", "sub_jwk", "sub_id",
}

// checkClaims returns the claims in compact form.
func checkClaims(claims json.RawMessage) (json.RawMessage, error) {
	if len(claims) == 0 {
		return json.RawMessage("{}"), nil
	}
	if len(claims) > maxClaims {
		return nil, &InputError{"claims", "must have at most 2048 bytes"}
	}
	var members map[string]json.RawMessage
	if err := strictjson.Unmarshal(claims, &members); err != nil || members == nil {
		return nil, &InputError{"claims", "must be one JSON object in which no name occurs twice, in whatever letter case"}
	}
	for name := range members {
		for _, reserved := range reservedClaims {
			if strings.EqualFold(name, reserved) {
				return nil, &InputError{"claims", "must not contain " + reserved + ": the issuer sets it"}
			}
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, claims); err != nil {
		return nil, &InputError{"claims", "must be JSON"}
	}
	return compact.Bytes(), nil
}

// CreateSubject stores a new subject. ID may be the caller's own identifier of its user, of 1 to 255 bytes, but not
// with ClientPrefix; Generation and the times are set here. It fails with an *InputError, or with ErrTaken when the ID
// exists.
func (i *Issuer) CreateSubject(ctx context.Context, s Subject) error {
	s, err := s.checked()
	if err != nil {
		return err
	}
	// Looking for a subject of before and writing the new one are one transaction: of two that create the same subject,
	// one wins.
	return i.commit(ctx, func(u *update) error {
		_, err := u.createSubject(s)
		return err
	})
}

// checked returns a new subject with its claims compact and nothing but what a caller may choose, or an *InputError.
func (s Subject) checked() (Subject, error) {
	if strings.HasPrefix(s.ID, ClientPrefix) {
		return Subject{}, &InputError{"subject", "must not begin with " + ClientPrefix}
	}
	claims, err := checkClaims(s.Claims)
	if err := errors.Join(checkName("subject", s.ID), err, checkScope(s.Scope)); err != nil {
		return Subject{}, err
	}
	return Subject{ID: s.ID, Claims: claims, Scope: s.Scope, Disabled: s.Disabled}, nil
}

// createSubject stores a new subject. One that was deleted under the same ID goes on where it stopped: its tokens stay
// stale, and its sessions ended.
func (u *update) createSubject(s Subject) (Subject, error) {
	s.Generation, s.Created = 1, u.now
	before, err := u.Subject(s.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		err = u.InsertSubject(s)
	case err == nil && before.Deleted.IsZero():
		err = ErrTaken
	case err == nil:
		s.Generation, s.Ending = before.Generation, before.Ending
		err = u.UpdateSubject(s)
	}
	if err != nil {
		return Subject{}, err
	}
	return s, u.audit(EventSubjectCreated, Event{Subject: s.ID})
}

// makeSubject is createSubject for a subject that the transaction has looked for in vain.
func (u *update) makeSubject(s Subject) (Subject, error) {
	made, err := u.createSubject(s)
	if errors.Is(err, ErrTaken) {
		return Subject{}, errOvertaken
	}
	return made, err
}

// findSubject finds a subject that exists, or fails with ErrNotFound.
func findSubject(r SubjectReader, sub string) (Subject, error) {
	s, err := r.Subject(sub)
	if err == nil && !s.Deleted.IsZero() {
		return Subject{}, ErrNotFound
	}
	return s, err
}

// Subject finds a subject, or fails with ErrNotFound.
func (i *Issuer) Subject(ctx context.Context, sub string) (Subject, error) {
	var s Subject
	err := i.store.View(ctx, func(r Reader) (err error) {
		s, err = findSubject(r, sub)
		return err
	})
	return s, err
}

// Change says what ChangeSubject alters. A change of nothing makes the tokens of before stale all the same.
type Change struct {
	Claims   json.RawMessage // all of the new claims; nil keeps the old ones
	Scope    []string        // nil keeps the old scope, an empty one takes it all
	Disabled *bool           // as DisableSubject and EnableSubject do; nil keeps it
	Soft     bool            // tokens with the old claims stay good, and verifiers advise a refresh: for a promotion
}

// ChangeSubject gives a subject new claims or a new scope and makes the tokens of before stale: they are refused, and a
// refresh brings the new claims. A session's scope is settled at login: a narrower one counts from the next refresh on,
// a wider one from the next login. It fails with an *InputError, ErrNotFound or ErrLastAdmin.
func (i *Issuer) ChangeSubject(ctx context.Context, sub string, change Change) error {
	claims, err := checkClaims(change.Claims)
	if err := errors.Join(err, checkScope(change.Scope)); err != nil {
		return err
	}
	if len(change.Scope) > 0 && strings.HasPrefix(sub, ClientPrefix) {
		return &InputError{"scope", "of a client is changed in the client"}
	}
	if change.Claims != nil {
		change.Claims = claims
	}
	// What is new about the subject, its generation, the end of its sessions and the rule are one commit: a login or
	// refresh that runs meanwhile either sees all of it, or made its session and token before, of the old generation,
	// and both are caught.
	return i.commit(ctx, func(u *update) error {
		before, err := findSubject(u, sub)
		if err != nil {
			return err
		}
		return u.changeSubject(before, change)
	})
}

// changeSubject applies a change, and tells of it.
func (u *update) changeSubject(before Subject, change Change) error {
	after := change.apply(before)
	content := change.Claims != nil || change.Scope != nil || change.Disabled == nil
	if !content && after.Disabled == before.Disabled {
		return nil
	}
	if err := u.keepAdmin(before, after); err != nil {
		return err
	}
	if err := u.auditChange(before, after, content); err != nil {
		return err
	}
	switch {
	case after.Disabled && !before.Disabled:
		return u.endSessions(after, EndedByDisable)
	case content && change.Soft:
		return u.outdate(after, revocation.SubjectSoftGeneration)
	case content:
		return u.outdate(after, revocation.SubjectGeneration)
	}
	return u.UpdateSubject(after) // the tokens of a subject that is enabled are stale already
}

func (c Change) apply(s Subject) Subject {
	if c.Claims != nil {
		s.Claims = c.Claims
	}
	if c.Scope != nil {
		s.Scope = c.Scope
	}
	if c.Disabled != nil {
		s.Disabled = *c.Disabled
	}
	return s
}

// outdate stores a changed subject as its next generation and makes the tokens of those before stale.
func (u *update) outdate(s Subject, kind revocation.Kind) error {
	issued, err := u.lastIssued(s.ID)
	if err != nil {
		return err
	}
	return u.outdateIssued(s, kind, issued)
}

// outdateIssued is outdate where the last of the tokens was issued at a time. A deleted subject counts as deleted then,
// where its generation would be forgotten before the rule is: whoever gets its ID would meet that.
func (u *update) outdateIssued(s Subject, kind revocation.Kind, issued time.Time) error {
	s.Generation++
	if !s.Deleted.IsZero() && issued.After(u.now.Add(mostAhead)) {
		s.Deleted = issued
	}
	u.refuseIssued(revocation.Rule{Kind: kind, Value: s.ID, Minimum: int64(s.Generation)}, issued)
	return u.UpdateSubject(s)
}

// lastIssued is when the last access token was issued, at the latest, that a subject has in sessions that haven't ended
// or for itself: after now where the clock was set back since. The transaction holds the subject, so that nobody uses
// the sessions. Of the busiest subjects they aren't all read: nobody waits for that.
func (u *update) lastIssued(sub string) (time.Time, error) {
	unknown := u.now.Add(mostAhead)
	if strings.HasPrefix(sub, ClientPrefix) {
		return unknown, nil
	}
	sessions, err := u.SessionsOf(sub, "", sweepBatch)
	if len(sessions) == sweepBatch {
		return unknown, err
	}
	last := u.now
	for _, s := range sessions {
		if s.LastUsed.After(last) {
			last = s.LastUsed
		}
	}
	return last, err
}

// DisableSubject ends all sessions of a subject, refuses its access tokens and lets it have no more, until
// EnableSubject. It fails with ErrNotFound or ErrLastAdmin.
func (i *Issuer) DisableSubject(ctx context.Context, sub string) error {
	disabled := true
	return i.ChangeSubject(ctx, sub, Change{Disabled: &disabled})
}

// EnableSubject lets a disabled subject log in again; its old sessions stay ended. It fails with ErrNotFound.
func (i *Issuer) EnableSubject(ctx context.Context, sub string) error {
	var disabled bool
	return i.ChangeSubject(ctx, sub, Change{Disabled: &disabled})
}
