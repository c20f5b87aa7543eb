package issuer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code is an authorization code (RFC 6749 §4.1.2): it gives one session to one client, once.
type Code struct {
	Hash        string // base64url of its SHA-256
	ClientID    string
	RedirectURI string
	Challenge   string // RFC 7636, S256
	Nonce       string // for the first ID token
	SignIn      string // ID of the sign-in that it came from
	Resource    string
	Scope       []string
	Issued      time.Time
	Expires     time.Time
	Session     string // that it gave; "" before

	KeyThumbprint string // of the one key with which it's redeemed (RFC 9449 §10); "": any or none
}

const (
	codePrefix = "jac_"

	// codeRetention is how long a code is known that was used, so that its second use is seen.
	codeRetention = 24 * time.Hour

	// maxCodes bounds how many codes one sign-in gives in the minute in which they are good. Who is signed in gets a
	// code without doing anything for it, so that any page to which a browser is lured can ask for one after the other.
	maxCodes = 30

	minVerifier = 43 // characters (RFC 7636 §4.1)
	maxVerifier = 128
)

// CodeGrant trades an authorization code.
type CodeGrant struct {
	Code        string
	Client      ClientProof // must be the one that the code was given to
	RedirectURI string      // must be that of the authorization request
	Verifier    string      // of the code challenge (RFC 7636)
	Resource    string      // "" or that of the authorization request

	KeyThumbprint string // of the key that the request's DPoP proof has shown; "": a session of bearer tokens
	UserAgent     string
	Address       string
}

// RedeemCode begins the session that an authorization code stands for, and gives its first tokens. A code that isn't
// accepted, for whatever reason, is ErrInvalidGrant; another resource is ErrInvalidTarget, and a client that doesn't
// prove who it is ErrInvalidClient. Whoever uses a code again ends the session that it gave (RFC 6749 §4.1.2): one of
// the two isn't whom it was meant for. Another client's attempt changes nothing, and neither does a wrong verifier or
// redirect URI: the one who has them still can use it.
func (i *Issuer) RedeemCode(ctx context.Context, g CodeGrant) (Tokens, error) {
	if err := checkThumbprint(g.KeyThumbprint); err != nil {
		return Tokens{}, err
	}
	var d *draft
	// Looking at the code, noting its session and making that are one commit: of many who present one code at once, one
	// gets a session, and the next one ends it. The client proves in it who it is: a secret that was replaced before is
	// good for no code. The sign-in is read in it too: a logout comes before, and the code is of no use, or after, and
	// ends the session.
	ahead := Foresight{Code: secretHash(g.Code)}.with(&i.config, g.Client.ID, g.Resource)
	err := i.commitForeseen(ctx, ahead, func(u *update) (err error) {
		d, err = u.redeem(g)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	if d == nil {
		return Tokens{}, ErrInvalidGrant
	}
	i.counts.sessions.Add(1)
	return i.sign(ctx, d)
}

// redeem applies the rule of codes. No draft and no error means that the code is refused, and that what this changed is
// to be kept.
func (u *update) redeem(g CodeGrant) (*draft, error) {
	client, err := u.issuer.proved(u, g.Client)
	if err != nil {
		return nil, err
	}
	code, err := u.Code(secretHash(g.Code))
	if errors.Is(err, ErrNotFound) || err == nil && code.ClientID != client.ID {
		return nil, ErrInvalidGrant
	}
	if err != nil {
		return nil, err
	}
	if code.Session != "" {
		return nil, u.reusedCode(code, g)
	}
	if !u.now.Before(code.Expires) || code.RedirectURI != g.RedirectURI || !answersChallenge(g.Verifier, code.Challenge) {
		return nil, ErrInvalidGrant
	}
	if code.KeyThumbprint != "" && code.KeyThumbprint != g.KeyThumbprint {
		return nil, ErrInvalidGrant
	}
	if g.Resource != "" && g.Resource != code.Resource {
		return nil, ErrInvalidTarget
	}
	session, d, err := u.beginOf(code, client, g)
	if err != nil {
		return nil, err
	}
	return d, u.SpendCode(code.Hash, session.ID)
}

// beginOf begins the session of a code, as client, resource and subject are now.
func (u *update) beginOf(code Code, client *Client, g CodeGrant) (*Session, *draft, error) {
	signIn, subject, err := u.SignInOfCode(code.Hash)
	if errors.Is(err, ErrNotFound) || err == nil && !signIn.live(&subject, u.now) {
		return nil, nil, ErrInvalidGrant
	}
	if err != nil {
		return nil, nil, err
	}
	resource, err := u.resourceOf(u, client, code.Resource, code.Issued)
	if err != nil {
		return nil, nil, err
	}
	if !client.FirstParty { // it may have been withdrawn since
		if allowed, err := consented(u, &subject, client, resource, code.Scope); err != nil || !allowed {
			return nil, nil, cmp.Or(err, ErrInvalidGrant)
		}
	}
	session := u.newSession(&subject, client, resource, code.Scope)
	session.SignIn, session.AMR, session.AuthTime = signIn.ID, signIn.AMR, signIn.AuthTime
	d, err := u.beginSettled(session, &subject, client, resource, g.KeyThumbprint, g.UserAgent, g.Address)
	if err == nil && d.id != nil {
		d.id.claims.Nonce = code.Nonce
	}
	return session, d, err
}

// beginSettled stores a session whose scope was settled before, and drafts its first token.
func (u *update) beginSettled(session *Session, subject *Subject, client *Client, resource *Resource, thumbprint, userAgent, address string) (*draft, error) {
	session.bind(client, thumbprint)
	session.use(u.now, u.issuer.idleTTL(client), clip(userAgent, maxUserAgent), clip(address, maxAddress))
	scope, err := narrowScope(nil, session, client, resource, subject)
	if err != nil {
		return nil, err
	}
	d, err := u.draft(subject, session, client, resource, scope, terms{thumbprint: thumbprint})
	if err != nil {
		return nil, err
	}
	return d, u.InsertSession(*session)
}

// partiesOf finds the client and the resource of something that was issued to them, unless they were deleted since, and
// others bear their names.
func (m moment) partiesOf(r Reader, clientID, audience string, issued time.Time) (*Client, *Resource, error) {
	client, err := m.issuer.client(r, clientID)
	if err != nil {
		return nil, nil, err
	}
	resource, err := m.resourceOf(r, client, audience, issued)
	return client, resource, err
}

// resourceOf finds the resource of something that was issued to a client, unless one of the two is another one now.
func (m moment) resourceOf(r ResourceReader, client *Client, audience string, issued time.Time) (*Resource, error) {
	resource, err := m.issuer.resource(r, audience)
	if errors.Is(err, ErrInvalidTarget) || err == nil && (!client.may(resource.Audience) || client.Created.After(issued) || resource.Created.After(issued)) {
		return nil, ErrInvalidGrant
	}
	return resource, err
}

// reusedCode ends the session that a code gave, and tells of it once.
func (u *update) reusedCode(code Code, g CodeGrant) error {
	session, err := findSession(u, code.Session)
	if errors.Is(err, ErrNotFound) || err == nil && !session.Ended.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	if err := u.end(session, EndedByReuse); err != nil {
		return err
	}
	return u.InsertEvent(Event{
		Time: u.now, Kind: EventCodeReused, Subject: session.Subject, Session: session.ID, ClientID: session.ClientID,
		UserAgent: clip(g.UserAgent, maxUserAgent), Address: clip(g.Address, maxAddress),
		Detail: fmt.Sprintf("the authorization code of %s was presented again; the session has ended", code.Issued.Format(time.RFC3339)),
	})
}

// answersChallenge reports, in constant time, whether a verifier is the one of a challenge (RFC 7636 §4.6).
func answersChallenge(verifier, challenge string) bool {
	outside := func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", r)
	}
	if len(verifier) < minVerifier || len(verifier) > maxVerifier || strings.ContainsFunc(verifier, outside) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

func (u *update) sweepCodes() (more bool, err error) {
	unused, err := u.DeleteUnusedCodes("", u.now, sweepBatch)
	if err != nil || unused > 0 {
		return unused > 0, err
	}
	count, err := u.DeleteCodes(u.now.Add(-codeRetention), sweepBatch)
	return count > 0, err
}
