package jothttp

import (
	"context"
	"sync"
)

// TokenStore keeps the token pair of one session, with all its fields, for all who share it: the goroutines of a program, or several programs.
type TokenStore interface {
	// Load returns the pair as it is now.
	Load(ctx context.Context) (TokenPair, error)
	// Update replaces the pair by what change makes of it. From when change gets the pair until what it returned is stored for good, nobody else updates it.
	// An error of change is returned, and leaves the pair as it was.
	Update(ctx context.Context, change func(TokenPair) (TokenPair, error)) error
}

// MemoryStore is a [TokenStore] that ends with the program. The zero value holds no tokens.
type MemoryStore struct {
	mu   sync.Mutex // guards pair
	turn sync.Mutex // is held by who updates
	pair TokenPair
}

// Load implements [TokenStore]. It doesn't wait for an update that is under way.
func (m *MemoryStore) Load(context.Context) (TokenPair, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pair, nil
}

// Update implements [TokenStore].
func (m *MemoryStore) Update(ctx context.Context, change func(TokenPair) (TokenPair, error)) error {
	m.turn.Lock()
	defer m.turn.Unlock()
	before, err := m.Load(ctx)
	if err != nil {
		return err
	}
	after, err := change(before)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pair = after
	return nil
}
