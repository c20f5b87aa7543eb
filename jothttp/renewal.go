package jothttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jot-auth/jot/strictjson"
)

const (
	refreshTimeout = 15 * time.Second // below the grace that the issuer gives to a lost answer
	refreshRetry   = time.Second      // after one that has failed
	patience       = 2 * time.Second  // with a refresh, of whoever has an access token that is still good
)

var errNoRefreshToken = errors.New("jothttp: refreshing: there's no refresh token: log in again when the access token has expired")

// advise makes a refresh due at some time within the window, so that a million clients don't come at once.
func (t *Transport) advise(pair TokenPair) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.due.IsZero() && pair.same(t.pair.reveal()) {
		t.due = t.options.Now().Add(rand.N(t.options.AdviceWindow))
	}
}

// Tokens returns a pair whose access token is good, as far as the clock can tell, after a refresh if need be: for one
// that comes early it waits two seconds at most. It fails with ErrLoggedOut, or with the reason for which there's no
// refresh now.
func (t *Transport) Tokens(ctx context.Context) (TokenPair, error) {
	if t.origins == nil {
		return TokenPair{}, errNoTransport
	}
	pair, err := t.current(ctx)
	if err != nil {
		return TokenPair{}, err
	}
	if pair.Access == "" && pair.Refresh == "" {
		return TokenPair{}, ErrLoggedOut
	}
	switch usable, due := t.judge(pair); {
	case !due:
		return pair, nil
	case usable:
		return t.renewOrKeep(ctx, pair)
	}
	return t.renew(ctx, pair)
}

// renewOrKeep returns a newer pair, or the given one, which is still good, where the issuer is slow or down.
func (t *Transport) renewOrKeep(ctx context.Context, pair TokenPair) (TokenPair, error) {
	soon, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	renewed, err := t.renew(soon, pair)
	if err == nil || errors.Is(err, ErrLoggedOut) {
		return renewed, err
	}
	if usable, _ := t.judge(pair); usable {
		return pair, nil
	}
	return t.renew(ctx, pair) // it has expired meanwhile
}

// current returns the pair that is known, or else the stored one.
func (t *Transport) current(ctx context.Context) (TokenPair, error) {
	t.mu.Lock()
	pair, turn := t.pair.reveal(), t.seen
	t.mu.Unlock()
	if pair.Access != "" {
		return pair, nil
	}
	pair, err := t.options.Tokens.Load(ctx)
	if err != nil {
		return TokenPair{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn == t.seen && !pair.same(t.pair.reveal()) { // of the same, those who wait for a refresh are to hear how it ended
		t.take(pair)
	}
	return pair, nil
}

// update changes the stored pair, and returns what is stored then.
func (t *Transport) update(ctx context.Context, change func(TokenPair) (TokenPair, error)) (after TokenPair, err error) {
	var turn int
	err = t.options.Tokens.Update(ctx, func(before TokenPair) (_ TokenPair, err error) {
		turn = t.nextTurn()
		after, err = change(before)
		return after, err
	})
	if err != nil {
		return TokenPair{}, err
	}
	t.adopt(after, turn)
	return after, nil
}

func (t *Transport) nextTurn() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turns++
	return t.turns
}

// adopt takes over the pair that the store held at a turn. Of a login and a refresh at once either may come here first:
// the later turn counts, or requests would go on in the name of whoever was logged in before.
func (t *Transport) adopt(pair TokenPair, turn int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn >= t.seen {
		t.seen = turn
		t.take(pair)
	}
}

// take makes a pair the one that is known. Its caller holds t.mu.
func (t *Transport) take(pair TokenPair) {
	if pair.login() != t.pair.reveal().login() {
		clear(t.vain) // what was refused was somebody else's
	}
	// Of the same tokens, too: they may be good for longer now, and what advised a refresh has had it.
	t.pair, t.received, t.due, t.failed = hide(pair), t.options.Now(), time.Time{}, nil
}

// judge reports whether the access token may be used, and whether a newer pair is due. One in whose place another has
// just come isn't used any more.
func (t *Transport) judge(pair TokenPair) (usable, due bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.options.Now()
	if !pair.usable(now) || !pair.same(t.pair.reveal()) {
		return false, true
	}
	if pair.Refresh == "" { // nothing brings another one
		return true, false
	}
	advised := !t.due.IsZero() && !now.Before(t.due)
	early := min(t.options.Early, pair.Expires.Sub(t.received)/2)
	return true, advised || !pair.Expires.IsZero() && !now.Before(pair.Expires.Add(-early))
}

// renew returns a pair that is newer than the given one. Of many callers one starts the refresh, in a goroutine of its
// own that ends with it, after 15 s at the latest; a caller who gives up doesn't end it for the others. Where the last
// one has failed just now, that's the answer.
func (t *Transport) renew(ctx context.Context, old TokenPair) (TokenPair, error) {
	t.mu.Lock()
	known, now := t.pair.reveal(), t.options.Now()
	switch {
	case known.replaces(old, now):
		defer t.mu.Unlock()
		return known, nil
	case t.refresh != nil:
	case t.failed != nil && now.Before(t.due):
		defer t.mu.Unlock()
		return TokenPair{}, t.failed
	default:
		t.refresh = make(chan struct{})
		go t.refreshOnce(context.WithoutCancel(ctx), old, t.refresh)
	}
	done := t.refresh
	t.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return TokenPair{}, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch known := t.pair.reveal(); {
	case t.failed != nil:
		return TokenPair{}, t.failed
	case known.Access == "": // another request has seen already that the session is over, or somebody ended it
		return TokenPair{}, ErrLoggedOut
	default:
		return known, nil
	}
}

func (t *Transport) refreshOnce(ctx context.Context, old TokenPair, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	renewed, err := t.update(ctx, func(stored TokenPair) (TokenPair, error) {
		if stored.replaces(old, t.options.Now()) {
			return stored, nil // another process was faster
		}
		renewed, err := t.exchange(ctx, stored)
		if errors.Is(err, ErrLoggedOut) {
			return TokenPair{}, nil
		}
		return renewed, err
	})
	if err == nil && renewed.Access == "" {
		err = ErrLoggedOut
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pair.reveal().replaces(old, t.options.Now()) {
		err = nil // somebody has logged in meanwhile, and what failed was the session before
	}
	if t.failed = err; err != nil {
		t.due = t.options.Now().Add(refreshRetry)
	}
	t.refresh = nil
	close(done)
}

// exchange trades a refresh token for the next pair (RFC 6749 §6).
func (t *Transport) exchange(ctx context.Context, old TokenPair) (TokenPair, error) {
	switch {
	case old.Refresh != "":
	case old.usable(t.options.Now()): // whatever one API says of it
		return TokenPair{}, errNoRefreshToken
	default:
		return TokenPair{}, ErrLoggedOut
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}, "client_id": {t.options.ClientID}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.options.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return TokenPair{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	response, err := t.ask(r)
	if err != nil {
		return TokenPair{}, fmt.Errorf("jothttp: refreshing: %w", err)
	}
	defer discard(response)
	if response.StatusCode != http.StatusOK {
		return TokenPair{}, refusal(response)
	}
	renewed, err := ReadTokenPair(response.Body, t.options.Now())
	if err != nil {
		return TokenPair{}, err
	}
	if renewed.Bound != (t.proving != nil) {
		return TokenPair{}, errors.New("jothttp: refreshing: the token isn't bound to this Transport's key, or to another one")
	}
	if renewed.Refresh == "" {
		renewed.Refresh = old.Refresh // RFC 6749 §6: the old one stays good
	}
	renewed.Login = old.login()
	return renewed, nil
}

// ask makes a request of the token endpoint, and follows no redirect.
func (t *Transport) ask(r *http.Request) (*http.Response, error) {
	if t.proving != nil {
		return t.proving.send(t.options.Base, r, "")
	}
	return t.options.Base.RoundTrip(r)
}

// refusal tells a session that is over, invalid_grant, from whatever may pass (RFC 6749 §5.2).
func refusal(response *http.Response) error {
	var answer struct {
		Code string `json:"error"`
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxTokenAnswer))
	if err == nil && response.StatusCode == http.StatusBadRequest && strictjson.Unmarshal(text, &answer) == nil && answer.Code == "invalid_grant" {
		return ErrLoggedOut
	}
	return fmt.Errorf("jothttp: refreshing: the token endpoint answered with status %d", response.StatusCode)
}
