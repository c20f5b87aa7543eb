package issuer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"
)

// SignIn is a browser's own login at this server: who is signed in gets sessions for clients without proving anything
// again. Its secret is in the browser's cookie alone.
type SignIn struct {
	ID         string
	Hash       string // base64url of the SHA-256 of its secret
	Subject    string
	Generation uint64   // of the subject when it signed in: see Ending
	AMR        []string // how the subject proved who it is (RFC 8176)
	AuthTime   time.Time
	Expires    time.Time // never moves but with a new proof
}

// live reports whether a sign-in is still good for its subject.
func (s *SignIn) live(subject *Subject, now time.Time) bool {
	return now.Before(s.Expires) && s.Generation != loggedOut && subject.Deleted.IsZero() && !subject.Disabled && !s.outdated(subject)
}

// outdated reports whether all logins of a sign-in's subject have ended since. A subject that was made after one of the
// same ID was deleted has a later generation.
func (s *SignIn) outdated(subject *Subject) bool { return s.Generation < subject.Ending.Before }

// loggedOut is the generation of a sign-in that is over, and that still has sessions to end. Those of subjects begin
// with 1.
const loggedOut = 0

// secretHash is what the database has of a secret.
func secretHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// newSecret returns 256 random bits as text, and their hash.
func newSecret(prefix string) (secret, hash string) {
	b := make([]byte, 32)
	rand.Read(b)
	secret = prefix + base64.RawURLEncoding.EncodeToString(b)
	return secret, secretHash(secret)
}

const signInPrefix = "jsi_"

// SignIn begins a sign-in for a subject that has just proved who it is, and returns its secret and how long it lasts at
// most. present is the secret of the browser's sign-in so far, "" where there is none: of the same subject it goes on
// under the new secret, and with it that subject's sessions, unless all of its logins have ended since; anybody else's
// ends, and so does one whose logout has failed halfway. It fails as Issue does for an unknown or disabled subject, and
// with what Confirm says.
func (i *Issuer) SignIn(ctx context.Context, p Proof, present string) (secret string, life time.Duration, err error) {
	if err := checkAMR(p.AMR); err != nil {
		return "", 0, err
	}
	// The subject's state, the proof and the sign-in are one commit: whatever ends all of the subject's sign-ins comes
	// before, and is seen, or after, and ends this one. Of two logins in one browser the second finds what the first
	// made, or a secret that is no more.
	other := false
	err = i.commit(ctx, func(u *update) (err error) {
		secret, other, err = u.signIn(p, present)
		return err
	})
	if err == nil && other {
		err = i.LogOut(ctx, LogoutDecision{}, present) // should it fail, no browser has that sign-in any more, and it expires
	}
	return secret, i.config.SignInTTL, err
}

// signIn stores the sign-in, and reports whether the browser's present one is to end.
func (u *update) signIn(p Proof, present string) (secret string, other bool, err error) {
	before, found, err := u.presentSignIn(present)
	if err != nil {
		return "", false, err
	}
	subject, err := findSubject(u, p.Subject)
	if err != nil {
		return "", false, err
	}
	if subject.Disabled {
		return "", false, ErrInvalidGrant
	}
	if p.Confirm != nil {
		if err := p.Confirm(u.Tx); err != nil {
			return "", false, err
		}
	}
	secret, hash := newSecret(signInPrefix)
	s := SignIn{
		ID: rand.Text(), Hash: hash, Subject: subject.ID, Generation: subject.Generation, AMR: slices.Clone(p.AMR),
		AuthTime: u.now, Expires: u.now.Add(u.issuer.config.SignInTTL),
	}
	switch {
	case !found:
		return secret, false, u.InsertSignIn(s)
	case before.Subject != subject.ID, before.Generation == loggedOut:
		return secret, true, u.InsertSignIn(s)
	case before.outdated(&subject): // its codes must stay dead, so that nothing goes on under its ID
		return secret, false, errors.Join(u.DeleteSignIn(before.ID), u.InsertSignIn(s))
	}
	s.ID = before.ID
	return secret, false, u.UpdateSignIn(s)
}

// presentSignIn finds the sign-in of a secret, if there is one. Its subject may be another one than that of who logs
// in.
func (u *update) presentSignIn(secret string) (s SignIn, found bool, err error) {
	if secret == "" {
		return SignIn{}, false, nil
	}
	s, err = u.SignIn(secretHash(secret))
	if errors.Is(err, ErrNotFound) {
		return SignIn{}, false, nil
	}
	return s, err == nil, err
}

// signedIn finds who is signed in with a secret. ErrNotFound is nobody.
func signedIn(r Reader, secret string, now time.Time) (SignIn, Subject, error) {
	if secret == "" {
		return SignIn{}, Subject{}, ErrNotFound
	}
	s, subject, err := r.SignInByHash(secretHash(secret))
	if err == nil && !s.live(&subject, now) {
		err = ErrNotFound
	}
	return s, subject, err
}

// SignedIn finds the sign-in of a secret, as long as it's good, or fails with ErrNotFound.
func (i *Issuer) SignedIn(ctx context.Context, secret string) (s SignIn, err error) {
	err = i.store.View(ctx, func(r Reader) error {
		now, err := r.Now()
		if err != nil {
			return err
		}
		s, _, err = signedIn(r, secret, now)
		return err
	})
	return s, err
}

// signInBatch is how many sessions of a sign-in one transaction ends.
const signInBatch = 50

// endSessionsOfSignIn ends a batch of a sign-in's sessions with an ID above after, and returns the last one's, "" when
// there are no more. A session that its client may use while nobody is there (offline_access) stays; the client is told
// all the same.
func (u *update) endSessionsOfSignIn(id, after string) (last string, err error) {
	sessions, err := u.SessionsOfSignIn(id, after, signInBatch)
	if err != nil {
		return "", err
	}
	offline := make(map[string]bool) // by resource
	for _, listed := range sessions {
		session, err := findSession(u, listed.ID) // with its subject's row, in the order of all who end sessions
		if err != nil {
			return "", err
		}
		away, err := u.usedWhileAway(session, offline)
		switch {
		case err != nil:
		case away:
			err = u.notify(session)
		default:
			err = u.end(session, EndedByLogout)
		}
		if err != nil {
			return "", err
		}
		last = session.ID
	}
	if len(sessions) < signInBatch {
		last = ""
	}
	return last, nil
}

// usedWhileAway reports whether a session's client may use it while nobody is there. A resource that calls a scope of
// its own the same has said nothing of that; known is what was found of each, so that none is looked up twice.
func (u *update) usedWhileAway(session Session, known map[string]bool) (bool, error) {
	if !slices.Contains(session.Scope, scopeOffline) {
		return false, nil
	}
	if away, found := known[session.Resource]; found {
		return away, nil
	}
	resource, err := u.issuer.resource(u, session.Resource)
	if err != nil && !errors.Is(err, ErrInvalidTarget) {
		return false, err
	}
	away := err == nil && isIdentity(scopeOffline, resource) // nothing refreshes a session whose resource is gone
	known[session.Resource] = away
	return away, nil
}

func (u *update) sweepSignIns() (more bool, err error) {
	count, err := u.DeleteSignIns(u.now, sweepBatch)
	return count > 0, err
}
