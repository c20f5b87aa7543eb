package sqlstore

import "time"

// PoolStats are the numbers of one pool of connections.
type PoolStats struct {
	Name        string // "reader" or "writer"
	Open, InUse int
	Waits       int64         // how often a caller had to wait for a connection, since the start
	Waited      time.Duration // and for how long, in all
}

// Stats returns the numbers of each pool.
func (s *Store) Stats() []PoolStats {
	reader, writer := s.reader.stats(), s.writer.stats()
	reader.Name, writer.Name = "reader", "writer"
	return []PoolStats{reader, writer}
}

// Writing says how many callers write or wait for their turn.
func (s *Store) Writing() int { return len(s.queue.places) }
