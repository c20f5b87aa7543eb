package jot

import (
	"context"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
)

const (
	largestCache     = 1 << 20
	maxCachedToken   = 4 << 10 // what fits a cookie: a longer one is too rare to be worth its memory
	tokensInCacheSet = 4
	hashedEnd        = 32 // bytes, of the signature in most tokens
)

// tokenCache remembers verified tokens. A token has a few places, by the hash of its end, and is told from others there
// by its every byte. Nobody takes a lock.
type tokenCache struct {
	seed maphash.Seed // of this cache only: nobody else can make tokens that collide
	sets []cacheSet
}

type cacheSet [tokensInCacheSet]atomic.Pointer[cachedToken]

// cachedToken never changes. Its parts stand together: with many tokens, time goes into fetching them from memory.
type cachedToken struct {
	hash  uint64 // of its end
	raw   string
	token Token
}

func newTokenCache(size int) *tokenCache {
	if size == 0 {
		return nil
	}
	return &tokenCache{maphash.MakeSeed(), make([]cacheSet, (size+tokensInCacheSet-1)/tokensInCacheSet)}
}

// set returns the places of a token.
func (c *tokenCache) set(raw string) (hash uint64, set *cacheSet) {
	hash = maphash.String(c.seed, raw[max(0, len(raw)-hashedEnd):])
	return hash, &c.sets[hash%uint64(len(c.sets))]
}

// find returns the token that was verified with exactly these bytes, and where it is.
func (c *tokenCache) find(raw string) (*cachedToken, *atomic.Pointer[cachedToken]) {
	hash, set := c.set(raw)
	for i := range set {
		if cached := set[i].Load(); cached != nil && cached.hash == hash && cached.raw == raw {
			return cached, &set[i]
		}
	}
	return nil, nil
}

// add puts a token into a free place, or else drives out any one.
func (c *tokenCache) add(token *cachedToken) {
	hash, set := c.set(token.raw)
	token.hash = hash
	victim := rand.IntN(tokensInCacheSet)
	for i := range set {
		if set[i].Load() == nil {
			victim = i
			break
		}
	}
	set[victim].Store(token)
}

// remember takes a token that passed everything into the cache and returns it, or nil if it isn't one to remember.
func (v *Verifier) remember(raw string, s *scratch) *Token {
	if v.cache == nil {
		return nil
	}
	return v.cache.take(raw, s)
}

// take is remember with a cache. A token for which a refresh is advised isn't one to remember: its client is about to
// get another.
func (c *tokenCache) take(raw string, s *scratch) *Token {
	if len(raw) > maxCachedToken || s.verdict == RefreshAdvised {
		return nil
	}
	cached := &cachedToken{raw: strings.Clone(raw)}
	s.fill(&cached.token)
	c.add(cached)
	return &cached.token
}

// recall returns a token that the verifier remembers, or why it's refused now, or neither.
func (v *Verifier) recall(ctx context.Context, raw string) (*Token, error) {
	if v.cache == nil {
		return nil, nil
	}
	return v.recheck(ctx, raw)
}

// recheck is recall with a cache. It repeats, in the order of verify, what may have another answer than last time.
func (v *Verifier) recheck(ctx context.Context, raw string) (*Token, error) {
	cached, place := v.cache.find(raw)
	if cached == nil {
		return nil, nil
	}
	token := &cached.token
	keys, err := v.keys.VerificationKeys(ctx, token.header.scheme.name, token.header.kid)
	if err != nil {
		return nil, unavailable(err)
	}
	if !slices.ContainsFunc(keys[:min(len(keys), maxCandidates)], token.verifiedBy) {
		place.CompareAndSwap(cached, nil)
		return nil, nil
	}
	if err := v.checkTimes(&token.claims); err != nil {
		place.CompareAndSwap(cached, nil)
		return nil, err
	}
	if v.options.Revocation == nil {
		return token, nil
	}
	return v.recheckRevocation(ctx, token)
}

// recheckRevocation asks about a remembered token. Whether a refresh is advised is of the moment, so it's told of a
// copy.
func (v *Verifier) recheckRevocation(ctx context.Context, token *Token) (*Token, error) {
	s := v.borrow()
	defer v.giveBack(s)
	own := s.claims.audience // the token's is not for the next user of the scratch to write to
	s.claims, s.key = token.claims, token.key
	s.claims.audience = own
	s.payload = append(s.payload[:0], token.buffer...)
	if err := v.checkRevocation(ctx, s); err != nil {
		return nil, err
	}
	if s.verdict == RefreshAdvised {
		advised := *token
		advised.refreshAdvised = true
		return &advised, nil
	}
	return token, nil
}

// verifiedBy reports whether the token was verified by this very key, not only by an equal one.
func (t *Token) verifiedBy(key VerificationKey) bool {
	switch key := key.(type) {
	case *PublicKey:
		verifier, ok := t.key.(*PublicKey)
		return ok && verifier == key
	case *SecretKey:
		verifier, ok := t.key.(*SecretKey)
		return ok && verifier == key
	}
	return false
}
