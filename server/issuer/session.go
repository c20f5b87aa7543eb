package issuer

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/jot-auth/jot/revocation"
)

const (
	maxUserAgent = 256
	maxAddress   = 64
	maxAMR       = 8
	maxSessions  = 200 // that SessionsOf returns at once
)

// Session is one login on one device. It lives from Issue until it is ended or expires.
type Session struct {
	ID          string // sid
	Subject     string
	Generation  uint64 // of the subject when the session began: see Ending
	ClientID    string
	Resource    string   // audience of its access tokens
	Scope       []string // what was granted at login; a refresh may ask for less
	AMR         []string // how the subject proved who it is (RFC 8176)
	AuthTime    time.Time
	UserAgent   string // of the last refresh, as the client told it; at most 256 bytes
	Address     string // of the last refresh
	Created     time.Time
	LastUsed    time.Time
	IdleExpires time.Time // moves with every refresh
	Expires     time.Time // never moves
	Counters    Counters
	Ended       time.Time // zero while it lives
	EndReason   EndReason
	SignIn      string // ID of the sign-in from which it came; "" where a program logged in

	KeyThumbprint string    // of the key that its tokens are bound to (RFC 9449); "": none. It never changes
	RevokedTokens int       // access tokens that were revoked one by one
	Reported      EventKind // what was told since the last refresh and is told once; "" if nothing was
}

// EndReason says why a session ended before it expired.
type EndReason string

// The reasons for which a session ends.
const (
	EndedByLogout     EndReason = "logout"            // the subject logged out of it
	EndedEverywhere   EndReason = "logout_everywhere" // the subject logged out of all its sessions
	EndedByReuse      EndReason = "reuse"             // an old refresh token was presented: somebody copied it
	EndedByRevoke     EndReason = "revoked"           // the client revoked its refresh token (RFC 7009)
	EndedByDisable    EndReason = "disabled"          // the subject was disabled
	EndedByDelete     EndReason = "deleted"           // the subject was deleted
	EndedByAdmin      EndReason = "admin"             // an administrator ended it
	EndedByPassword   EndReason = "password_changed"  // the subject has a new password
	EndedByWithdrawal EndReason = "consent_withdrawn" // the subject lets the client have nothing any more
	EndedByRecovery   EndReason = "recovery"          // the database came back from the past
)

// live reports whether the session's refresh tokens may still be used.
func (s *Session) live(now time.Time) bool {
	return s.Ended.IsZero() && now.Before(s.IdleExpires) && now.Before(s.Expires)
}

// of reports whether the session was begun by this client for this resource, and not by others that bore their names
// before.
func (s *Session) of(client *Client, resource *Resource) bool {
	return !s.Created.Before(client.Created) && !s.Created.Before(resource.Created) && client.may(resource.Audience)
}

// idleTTL is how long a client's session may be left unused.
func (i *Issuer) idleTTL(client *Client) time.Duration {
	return shorter(client.IdleTTL, i.config.IdleTTL)
}

// use notes where the session was used from and moves its idle expiry. What the client doesn't tell stays. So does a
// use by a clock that was ahead: an access token of then outlasts those of now.
func (s *Session) use(now time.Time, idle time.Duration, userAgent, address string) {
	if s.IdleExpires = now.Add(idle); now.After(s.LastUsed) {
		s.LastUsed = now
	}
	if userAgent != "" {
		s.UserAgent = userAgent
	}
	if address != "" {
		s.Address = address
	}
}

// elsewhere reports whether a request comes from another agent or address than the session's last one.
func (s *Session) elsewhere(userAgent, address string) bool {
	return userAgent != "" && userAgent != s.UserAgent || address != "" && address != s.Address
}

// end ends a session and refuses its access tokens, of which the last was issued when the session was last used,
// whatever the clock shows now.
func (u *update) end(session Session, why EndReason) error {
	issued := u.now
	if session.LastUsed.After(issued) {
		issued = session.LastUsed
	}
	rule := revocation.Rule{Kind: revocation.Session, Value: session.ID, Subject: session.Subject}
	if !session.Ended.IsZero() {
		u.refuseAgain(rule, issued)
		return nil
	}
	u.refuseIssued(rule, issued)
	session.Ended, session.EndReason = u.now, why
	if err := u.UpdateSession(session); err != nil {
		return err
	}
	return u.notify(session)
}

// Session finds a session, ended and expired ones too, or fails with ErrNotFound.
func (i *Issuer) Session(ctx context.Context, sid string) (Session, error) {
	var s Session
	err := i.store.View(ctx, func(r Reader) (err error) {
		s, err = findSession(r, sid)
		return err
	})
	return s, err
}

// SessionsOf lists the live sessions of a subject in the order of their IDs: up to limit of them, at most 200, with an
// ID above after. The ID of the last one is the next page's after; "" as next means that there are no more. A subject
// that doesn't exist has none.
func (i *Issuer) SessionsOf(ctx context.Context, subject, after string, limit int) (live []Session, next string, err error) {
	err = i.store.View(ctx, func(r Reader) error {
		s, err := findSubject(r, subject)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		live, next, err = liveSessions(r, s, after, max(1, min(limit, maxSessions)))
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return live, next, nil
}

func liveSessions(r Reader, s Subject, after string, limit int) (live []Session, next string, err error) {
	now, err := r.Now()
	for next = after; err == nil && len(live) < limit; {
		var page []Session
		if page, err = r.SessionsOf(s.ID, next, limit-len(live)); len(page) == 0 {
			return live, "", err
		}
		next = page[len(page)-1].ID
		for _, session := range page {
			if s.Ending.applyTo(&session); session.live(now) {
				live = append(live, session)
			}
		}
	}
	return live, next, err
}

// clip makes a text that a client tells about itself valid UTF-8 of at most size bytes without control characters. An
// odd user agent is no reason to refuse a login.
func clip(text string, size int) string {
	text = strings.ToValidUTF8(text[:min(len(text), size)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

func checkAMR(amr []string) error {
	if len(amr) > maxAMR {
		return &InputError{"amr", "must name at most 8 methods"}
	}
	for _, method := range amr {
		if !isScopeToken(method) {
			return &InputError{"amr", "must consist of printable ASCII words (RFC 8176)"}
		}
	}
	return nil
}
