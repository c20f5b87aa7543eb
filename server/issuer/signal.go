package issuer

import "sync"

// signal wakes everybody who waits. The zero value is ready.
type signal struct {
	mu sync.Mutex
	c  chan struct{}
}

func (b *signal) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *signal) broadcast() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}
