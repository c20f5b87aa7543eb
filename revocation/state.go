package revocation

import (
	"sync"
	"time"
)

// Connection is how a Reader follows the feed.
type Connection string

// How a feed can be followed.
const (
	Disconnected Connection = ""       // it isn't, now
	Streaming    Connection = "stream" // by a stream of server-sent events
	Polling      Connection = "poll"   // by a request a second, since something on the way holds streams back
)

// State is what a Reader knows about itself, for health pages and metrics.
type State struct {
	LogID          string        // of the log that is followed; empty before the first snapshot
	Sequence       uint64        // of the last rule that was taken in
	Rules          int           // that are held in memory
	Lease          time.Duration // for how long the reader may still answer; 0: it answers jot.ErrUnavailable
	Lag            time.Duration // how old, at most, the last statement was when it arrived
	MaxTTL         time.Duration // the longest life of the issuer's tokens; a verifier's MaxTTL should be this
	Connection     Connection    // how the feed is followed
	ConnectedSince time.Time     // zero while there is no proven connection
	LastError      error         // why the last connection failed; nil when none has
}

// status is the part of State that the reader's goroutine writes and others read.
type status struct {
	mu      sync.Mutex
	state   State
	changed chan struct{} // closed at the next change
}

func newStatus() *status { return &status{changed: make(chan struct{})} }

// update changes the state and wakes whoever waits for that.
func (s *status) update(change func(*State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
	close(s.changed)
	s.changed = make(chan struct{})
}

// read returns the state and a channel that is closed at its next change.
func (s *status) read() (State, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.changed
}
