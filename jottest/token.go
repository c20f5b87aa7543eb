package jottest

import (
	"context"
	"crypto/rand"
	"maps"
	"time"

	"github.com/jot-auth/jot"
)

// tokenTTL is how long a token lives whose claims don't say.
const tokenTTL = 15 * time.Minute

// Claims are what a test says of a token; the rest is as the issuer makes it. A value may be anything that encodes to
// JSON; a [time.Time] is written as a NumericDate (RFC 7519 §2). A nil value leaves the claim out:
//
//	jottest.Claims{"sub": "alice", "roles": []string{"admin"}, "exp": issuer.Clock.Now().Add(-time.Second), "jti": nil}
type Claims map[string]any

// Token signs a token with the issuer's key. Unless the claims say otherwise it has an issuer, the audience of the
// options, subject "alice", session and token IDs of its own, the subject's generation, and 15 minutes to live from now
// on the issuer's clock. Claims may be nil.
func (i *Issuer) Token(claims Claims) string {
	i.tb.Helper()
	return i.sign(i.signingKey(), i.options.Type, claims)
}

func (i *Issuer) sign(key *jot.PrivateKey, typ string, claims Claims) string {
	i.tb.Helper()
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: typ})
	if err != nil {
		i.tb.Fatalf("jottest: %v", err)
	}
	raw, err := signer.Sign(context.Background(), i.complete(claims))
	if err != nil {
		i.tb.Fatalf("jottest: signing a token: %v", err)
	}
	return raw
}

// complete adds the claims that a test left open, and drops those that it doesn't want.
func (i *Issuer) complete(stated Claims) Claims {
	now := i.Clock.Now()
	claims := Claims{
		"iss": i.URL, "sub": "alice", "iat": now, "exp": now.Add(tokenTTL), "jti": rand.Text(), "sid": rand.Text(), "client_id": "jottest",
	}
	if i.options.Audience != "" {
		claims["aud"] = i.options.Audience
	}
	maps.Copy(claims, stated)
	if _, ok := claims["gen"]; !ok {
		subject, _ := claims["sub"].(string)
		claims["gen"] = i.generation(subject)
	}
	for name, value := range claims {
		if t, ok := value.(time.Time); ok {
			claims[name] = jot.At(t)
		}
	}
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

func (i *Issuer) generation(subject string) uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.generations[subject]
}
