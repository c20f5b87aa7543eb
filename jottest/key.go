package jottest

import (
	"sync"
	"testing"

	"github.com/jot-auth/jot"
)

// keyPool keeps the keys of tests that ended for the tests to come: making an RSA key takes longer than most tests do.
// No two issuers hold one key at the same time, or each would accept the other's signatures.
type keyPool struct {
	mu    sync.Mutex
	spare map[jot.Algorithm][]*jot.PrivateKey
}

var pool = keyPool{spare: map[jot.Algorithm][]*jot.PrivateKey{}}

// key returns a key for the time of the test.
func (p *keyPool) key(tb testing.TB, alg jot.Algorithm) *jot.PrivateKey {
	tb.Helper()
	key := p.take(alg)
	if key == nil {
		var err error
		if key, err = jot.GenerateKey(alg); err != nil {
			tb.Fatalf("jottest: %v", err)
		}
	}
	tb.Cleanup(func() { p.put(key) })
	return key
}

func (p *keyPool) take(alg jot.Algorithm) *jot.PrivateKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := p.spare[alg]
	if len(keys) == 0 {
		return nil
	}
	p.spare[alg] = keys[:len(keys)-1]
	return keys[len(keys)-1]
}

func (p *keyPool) put(key *jot.PrivateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spare[key.Algorithm()] = append(p.spare[key.Algorithm()], key)
}
