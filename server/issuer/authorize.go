package issuer

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jot-auth/jot"
)

// Step is what an authorization request waits for.
type Step int

// The steps, in their order.
const (
	StepLogIn   Step = iota // somebody has to log in
	StepConsent             // who is signed in has to allow it
	StepAnswer              // nothing: the client gets its code
)

// Decision is what becomes of an authorization request.
type Decision struct {
	Step     Step
	Request  Authorization // with Asked set
	Code     string        // with StepAnswer
	Client   Client
	Subject  string   // who is signed in; "" with StepLogIn
	Resource Resource // that the access token will be for
	Scope    []string // that the client will get

	subject   Subject
	signIn    SignIn
	consented bool // just now
}

// Authorize decides on an authorization request of a browser with a sign-in's secret, "" where it has none. allowed is
// what somebody has just been shown, and has allowed: where the request still comes to the same, that is remembered,
// and else it counts for nothing.
//
// The operator's own clients need no consent, unless they ask for it (prompt=consent), or anybody on the person's
// machine may pass for them (RFC 8252 §8.6): then who hasn't just logged in for the request is asked. What the request
// gets wrong is an *AuthorizationError, which is the client's to know; so is login_required and consent_required with
// prompt=none. It fails with ErrInvalidClient and ErrRedirectURI as RedirectClient does, and with ErrPending for a
// request that came in too long ago: a login is none of now because it came after that.
func (i *Issuer) Authorize(ctx context.Context, a Authorization, secret string, allowed Shown) (Decision, error) {
	if err := i.settleHint(ctx, &a); err != nil {
		return Decision{}, err
	}
	var d Decision
	ahead := Foresight{}.with(&i.config, a.ClientID, a.Resource)
	if secret == "" { // nobody gets a code before they have logged in, and nobody is held up meanwhile
		err := i.store.View(ctx, func(r Reader) error {
			now, err := nowAnd(r, ahead)
			if err != nil {
				return err
			}
			d, err = moment{i, now}.decide(r, a, secret, allowed)
			return err
		})
		return d, d.unless(err)
	}
	// What is decided is decided where the code is written: a logout, a ban or a change of the client comes before, and
	// counts, or after, and then the code names a sign-in that is over. A scope that has grown since its page was shown
	// is seen too. Of two consents in one browser the second adds to the first, since both begin with the sign-in; and
	// of many requests at once each counts the codes of those before it.
	ahead.SignIn = secretHash(secret)
	err := i.commitForeseen(ctx, ahead, func(u *update) (err error) {
		if d, err = u.decide(u, a, secret, allowed); err != nil || d.Step != StepAnswer {
			return err
		}
		return u.answer(&d)
	})
	return d, d.unless(err)
}

// settleHint finds whom a request is about (OpenID Connect Core 1.0 §3.1.2.1, id_token_hint). What is wrong with the
// hint is told to nobody but the client.
func (i *Issuer) settleHint(ctx context.Context, a *Authorization) error {
	if a.IDTokenHint == "" {
		return nil
	}
	if _, err := i.RedirectClient(ctx, a.ClientID, a.RedirectURI); err != nil {
		return err
	}
	hint, err := i.hints.Verify(ctx, a.IDTokenHint)
	if errors.Is(err, jot.ErrInvalidToken) || err == nil && (hint.ClientID() != "" || !hint.HasAudience(a.ClientID)) {
		return Refused("login_required", "id_token_hint is no ID token that this client was given, or is too old: ask without it")
	}
	if err != nil {
		return err
	}
	a.Subject, a.IDTokenHint = hint.Subject(), ""
	return nil
}

// unless turns a step for which the client won't wait into its error.
func (d *Decision) unless(err error) error {
	if err != nil || !slices.Contains(d.Request.Prompt, promptNone) {
		return err
	}
	switch d.Step {
	case StepLogIn:
		return Refused("login_required", "nobody is signed in, or not recently enough")
	case StepConsent:
		return Refused("consent_required", "the subject hasn't allowed it yet")
	}
	return nil
}

// decide judges a request by one state of the database.
func (m moment) decide(r Reader, a Authorization, secret string, allowed Shown) (d Decision, err error) {
	if a.Asked.IsZero() {
		a.Asked = m.now
	}
	if m.now.Sub(a.Asked) > pendingTTL { // however often a page sealed it again
		return Decision{}, ErrPending
	}
	d.Request = a
	d.signIn, d.subject, err = signedIn(r, secret, m.now)
	nobody := errors.Is(err, ErrNotFound)
	if err != nil && !nobody {
		return Decision{}, err
	}
	if err := m.issuer.requested(r, &d); err != nil {
		return Decision{}, err
	}
	if !nobody && a.unmet(&d.signIn) {
		return Decision{}, Refused("unmet_authentication_requirements", "the subject has no second factor")
	}
	other := !nobody && a.Subject != "" && a.Subject != d.subject.ID
	if other && !d.silent() { // another login would be theirs again
		return Decision{}, Refused("login_required", "somebody else has logged in than id_token_hint names")
	}
	if nobody || other || a.wantsLogin(&d.signIn) {
		return d, nil
	}
	d.Subject = d.subject.ID
	if d.Scope, err = authorizedScope(a.Scope, &d.Client, &d.Resource, &d.subject); err != nil {
		return Decision{}, scopeRefused
	}
	d.Step = StepAnswer
	known := d.Client.FirstParty
	if !known {
		if known, err = consented(r, &d.subject, &d.Client, &d.Resource, d.Scope); err != nil {
			return Decision{}, err
		}
	}
	asks := !known || slices.Contains(a.Prompt, promptConsent) || d.silent() && !d.Client.answersAssured(a.RedirectURI)
	d.consented = asks && allowed == d.Shown()
	if asks && !d.consented {
		d.Step = StepConsent
	}
	return d, nil
}

// silent reports whether the person has done nothing for this request.
func (d *Decision) silent() bool { return d.signIn.AuthTime.Before(d.Request.Asked) }

var scopeRefused = Refused("invalid_scope", "the client or the resource doesn't know all of the scope")

// requested finds the client and the resource of a request, and refuses what is wrong with it, whoever will log in:
// first where the answer may not go.
func (i *Issuer) requested(r Reader, d *Decision) error {
	if d.Request.ClientID == "" { // there is no default one here
		return ErrInvalidClient
	}
	client, err := i.client(r, d.Request.ClientID)
	if err == nil && !client.redirectsTo(d.Request.RedirectURI) {
		err = ErrRedirectURI
	}
	if err := cmp.Or(err, d.Request.check()); err != nil {
		return err
	}
	resource, err := i.target(r, client, d.Request.Resource)
	if errors.Is(err, ErrInvalidTarget) {
		return Refused("invalid_target", "there is no such resource, or not for this client")
	}
	if err != nil {
		return err
	}
	d.Client, d.Resource = client.clone(), resource.clone()
	if _, err := authorizedScope(d.Request.Scope, client, resource, &Subject{}); err != nil {
		return scopeRefused
	}
	return nil
}

// answer stores the code of a request that nothing stands against, and remembers a consent.
func (u *update) answer(d *Decision) error {
	if d.consented && !d.Client.FirstParty {
		if err := u.consent(&d.subject, &d.Client, &d.Resource, d.Scope); err != nil {
			return err
		}
	}
	given, err := u.CountCodes(d.signIn.ID, u.now)
	if err != nil {
		return err
	}
	if given >= maxCodes {
		return Refused("temporarily_unavailable", "too many codes were given to this browser in the last minute")
	}
	code, hash := newSecret(codePrefix)
	d.Code = code
	return u.InsertCode(Code{
		Hash: hash, ClientID: d.Client.ID, RedirectURI: d.Request.RedirectURI, Challenge: d.Request.Challenge, Nonce: d.Request.Nonce,
		SignIn: d.signIn.ID, Resource: d.Resource.Audience, Scope: d.Scope, Issued: u.now, Expires: u.now.Add(codeTTL),
		KeyThumbprint: d.Request.KeyThumbprint,
	})
}

// codeTTL is far below the ten minutes that RFC 6749 §4.1.2 allows.
const codeTTL = time.Minute
