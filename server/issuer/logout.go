package issuer

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jot-auth/jot"
)

// Logout is a client's request to log a person out (OpenID Connect RP-Initiated Logout 1.0 §2). Its texts are those of
// the parameters, "" where one is absent.
type Logout struct {
	Hint        string // id_token_hint: one that this client was given, expired ones too
	ClientID    string
	RedirectURI string // post_logout_redirect_uri
}

// LogoutDecision is what becomes of it.
type LogoutDecision struct {
	Ask         bool   // nobody vouches for the request: who is signed in is asked
	Client      Client // zero where none is named
	RedirectURI string // where the browser goes on to; "" is nowhere

	subject, session string // of the hint
}

// ErrLogoutRequest is a logout that a client asks for wrongly: its texts contradict each other, or name a URI that
// isn't the client's.
var ErrLogoutRequest = errors.New("issuer: the client, its ID token and where to go on to don't fit together")

// hintAge bounds how long ago an ID token may have expired that still says who asks for a logout: no session lives
// longer.
const hintAge = 400 * 24 * time.Hour

// CheckLogout judges a request without doing anything. A hint that isn't good is none, since its key may be gone: then
// somebody is asked. It fails with ErrLogoutRequest.
func (i *Issuer) CheckLogout(ctx context.Context, l Logout, secret string) (LogoutDecision, error) {
	d := LogoutDecision{Ask: true}
	hint, err := i.hints.Verify(ctx, l.Hint)
	if err != nil && !errors.Is(err, jot.ErrInvalidToken) {
		return d, err
	}
	id := l.ClientID
	if err == nil && hint.ClientID() == "" && len(hint.Audience()) == 1 { // an access token has a client_id
		if id != "" && id != hint.Audience()[0] {
			return d, ErrLogoutRequest
		}
		id, d.subject, d.session = hint.Audience()[0], hint.Subject(), hint.SessionID()
	}
	if id == "" && l.RedirectURI != "" {
		return d, ErrLogoutRequest
	}
	if id != "" {
		d.Client, err = i.Client(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && l.RedirectURI != "" && !slices.Contains(d.Client.PostLogoutRedirectURIs, l.RedirectURI) {
			return d, ErrLogoutRequest
		}
		if err != nil {
			return d, err
		}
	}
	d.RedirectURI = l.RedirectURI
	err = i.store.View(ctx, func(r Reader) error { return d.vouch(r, secret) })
	return d, err
}

// vouch settles whether the hint speaks for who is signed in: it must be of a session that this very sign-in gave. What
// came of another one, of somebody else or in another browser, isn't a reason to end this one unasked: ID tokens are no
// secrets, and old ones lie about.
func (d *LogoutDecision) vouch(r Reader, secret string) error {
	signIn, err := r.SignIn(secretHash(secret))
	if errors.Is(err, ErrNotFound) {
		d.Ask = false // there is nobody to ask
		return nil
	}
	if err != nil || d.session == "" {
		return err
	}
	session, _, err := r.Session(d.session)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	d.Ask = err != nil || session.Subject != d.subject || session.SignIn != signIn.ID
	return err
}

// LogOut ends the sign-in of a secret, if there is one, with its sessions, and the session of a request's hint. What a
// client may use while nobody is there (offline_access) stays; each client that has such an address is told (OpenID
// Connect Back-Channel Logout 1.0). When it fails a part may be done: ask again.
func (i *Issuer) LogOut(ctx context.Context, d LogoutDecision, secret string) error {
	if d.session != "" {
		err := i.EndSession(ctx, d.subject, d.session)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	// The sign-in's end and a batch of its sessions are one commit: a code that is traded at the same time was before,
	// and its session ends, or finds the sign-in over. Its row goes with the last batch: of a logout that failed in
	// between the browser still has the secret, and asks again.
	for more, after := true, ""; more; {
		from := after
		err := i.commit(ctx, func(u *update) error {
			more, after = false, ""
			s, found, err := u.presentSignIn(secret)
			if err != nil || !found {
				return err
			}
			if after, err = u.endSessionsOfSignIn(s.ID, from); err != nil {
				return err
			}
			if more = after != ""; !more {
				return u.DeleteSignIn(s.ID)
			}
			s.Generation = loggedOut
			return u.UpdateSignIn(s)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
