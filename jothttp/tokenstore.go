package jothttp

import (
	"context"
	"fmt"
	"sync"
)

// TokenStore keeps the token pair of one session, with all its fields, for all who share it: the goroutines of a
// program, or several programs.
type TokenStore interface {
	// Load returns the pair as it is now.
	Load(ctx context.Context) (TokenPair, error)
	// Update replaces the pair by what change makes of it. From when change gets the pair until what it returned is
	// stored for good, nobody else updates it. An error of change is returned, and leaves the pair as it was. Who waits
	// for others gives up when the context ends.
	Update(ctx context.Context, change func(TokenPair) (TokenPair, error)) error
}

// MemoryStore is a [TokenStore] that ends with the program. The zero value holds no tokens.
type MemoryStore struct {
	mu   sync.Mutex    // guards the rest
	turn chan struct{} // is full while somebody updates; nil before anybody has
	pair hiddenPair
}

// Load implements [TokenStore]. It doesn't wait for an update that is under way.
func (m *MemoryStore) Load(context.Context) (TokenPair, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pair.reveal(), nil
}

// Update implements [TokenStore].
func (m *MemoryStore) Update(ctx context.Context, change func(TokenPair) (TokenPair, error)) error {
	turn := m.turns()
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return fmt.Errorf("jothttp: another update of the tokens is under way: %w", ctx.Err())
	}
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
	m.pair = hide(after)
	return nil
}

func (m *MemoryStore) turns() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.turn == nil {
		m.turn = make(chan struct{}, 1)
	}
	return m.turn
}
