package jottest

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

const (
	// maxTTL is the longest life of a token that the issuer's feed states.
	maxTTL = 24 * time.Hour
	// ruleTTL is how long rules are kept: the longest life of a token, and the room that clocks are given.
	ruleTTL = maxTTL + 10*time.Minute
	// awaitTimeout is long, for machines that are busy: it runs out only when something is wrong.
	awaitTimeout = 20 * time.Second
)

// RevokeToken refuses one token from now on, by its "jti", with [jot.ErrRevoked].
func (i *Issuer) RevokeToken(raw string) {
	i.tb.Helper()
	claims := i.read(raw)
	i.Revoke(revocation.Rule{Kind: revocation.TokenID, Value: claims.ID, Subject: claims.Subject})
}

// EndSession refuses every token of this token's session, by its "sid", with [jot.ErrRevoked], as a logout does.
func (i *Issuer) EndSession(raw string) {
	i.tb.Helper()
	claims := i.read(raw)
	i.Revoke(revocation.Rule{Kind: revocation.Session, Value: claims.Session, Subject: claims.Subject})
}

// ChangeClaims refuses every token that the subject has, by its generation, with [jot.ErrStaleClaims], as changed
// claims, a ban and logging out everywhere do. Tokens that are made from now on are of the next generation, and
// accepted.
func (i *Issuer) ChangeClaims(subject string) {
	i.tb.Helper()
	i.nextGeneration(revocation.SubjectGeneration, subject)
}

// AdviseRefresh is ChangeClaims for a change that leaves the older tokens valid: they are accepted, and
// Token.RefreshAdvised tells.
func (i *Issuer) AdviseRefresh(subject string) {
	i.tb.Helper()
	i.nextGeneration(revocation.SubjectSoftGeneration, subject)
}

func (i *Issuer) nextGeneration(kind revocation.Kind, subject string) {
	i.tb.Helper()
	i.mu.Lock()
	i.generations[subject]++
	generation := i.generations[subject]
	i.mu.Unlock()
	i.Revoke(revocation.Rule{Kind: kind, Value: subject, Minimum: int64(generation)})
}

// Revoke adds rules of any kind, in the order of the log. An Issuer that is empty means this one, and an Expires that
// is zero where the kind has one, the time after which no token is alive.
func (i *Issuer) Revoke(rules ...revocation.Rule) {
	i.tb.Helper()
	for _, rule := range rules {
		if rule.Issuer == "" {
			rule.Issuer = i.URL
		}
		if rule.Expires == 0 && rule.Kind != revocation.Key {
			rule.Expires = i.Clock.Now().Add(ruleTTL).Unix()
		}
		if err := i.feed.append(rule); err != nil {
			i.tb.Fatalf("jottest: %v", err)
		}
	}
}

// Await waits until the reader, which follows the issuer's feed, knows all revocations so far and the time of the
// issuer's clock. It fails the test when that takes longer than any feed should.
func (i *Issuer) Await(reader *revocation.Reader) {
	i.tb.Helper()
	ctx, cancel := context.WithTimeout(i.tb.Context(), awaitTimeout)
	defer cancel()
	if err := reader.WaitFresh(ctx); err != nil {
		i.tb.Fatalf("jottest: the reader doesn't get the feed of %s: %v", i.URL, err)
	}
	for !i.knows(ctx, reader) {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			state := reader.State()
			i.tb.Fatalf("jottest: the reader doesn't follow the feed of %s: it's at rule %d of %q, %v", i.URL, state.Sequence, state.LogID, state.LastError)
		}
	}
}

// knows reports whether the reader is at the end of the log and takes a token of this moment as the issuer does: a
// reader whose issuer's clock was moved refuses it until it has compared the clocks again.
func (i *Issuer) knows(ctx context.Context, reader *revocation.Reader) bool {
	head, state := i.feed.end(), reader.State()
	if state.LogID != head.LogID || state.Sequence < head.Sequence {
		return false
	}
	facts := &jot.RevocationFacts{Issuer: []byte(i.URL), IssuedAt: i.Clock.Now().Unix(), HasIssuedAt: true}
	verdict, err := reader.CheckRevocation(ctx, facts)
	return err == nil && verdict == i.feed.rules.Verdict(facts)
}

// identity is what rules name tokens by.
type identity struct {
	Subject string `json:"sub"`
	ID      string `json:"jti"`
	Session string `json:"sid"`
}

// read takes a token's identity from it, also where it's no good.
func (i *Issuer) read(raw string) (claims identity) {
	i.tb.Helper()
	if err := json.Unmarshal(jot.Inspect(raw).Payload.Decoded, &claims); err != nil {
		i.tb.Fatalf("jottest: this is not a token: %v", err)
	}
	return claims
}
