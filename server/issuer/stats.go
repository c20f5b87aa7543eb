package issuer

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot"
)

// Stats are numbers for operators.
type Stats struct {
	Sessions  uint64 // begun since the start
	Tokens    uint64 // access tokens signed since the start
	Refreshes Refreshes

	Rules       int    // revocation rules in force
	LogSequence uint64 // of the revocation log's head
	Keys        []KeyStats
	Now         time.Time // the database's clock
}

// KeyStats are about the signing keys of one algorithm.
type KeyStats struct {
	Algorithm   jot.Algorithm
	Active      time.Time // when the one that signs began to; zero: none does
	Next        time.Time // when the one after it was published
	RotationDue time.Time // when that will take over
}

// Refreshes count the refreshes since the start, by what the presented token meant.
type Refreshes struct {
	Rotated   uint64 // the good one
	Repeated  uint64 // the one before, within the grace window
	ReplyLost uint64 // the one before, later
	Reused    uint64 // a spent one: the session ended
	Rewound   uint64 // one that the database doesn't know of: an alarm
}

// counts are those of this process.
type counts struct {
	sessions, tokens atomic.Uint64
	refreshes        [rewound + 1]atomic.Uint64 // by outcome
}

// Stats reads the numbers; those of the database in one transaction.
func (i *Issuer) Stats(ctx context.Context) (Stats, error) {
	by := &i.counts.refreshes
	s := Stats{
		Sessions: i.counts.sessions.Load(), Tokens: i.counts.tokens.Load(), Rules: i.rules.Len(),
		Refreshes: Refreshes{
			Rotated: by[rotated].Load(), Repeated: by[repeated].Load(), ReplyLost: by[replyLost].Load(),
			Reused: by[reused].Load(), Rewound: by[rewound].Load(),
		},
	}
	err := i.store.View(ctx, func(r Reader) (err error) {
		if s.Now, err = r.Now(); err != nil {
			return err
		}
		head, err := r.LogHead()
		if err != nil {
			return err
		}
		s.LogSequence = head.Sequence
		s.Keys, err = i.keyStats(r)
		return err
	})
	return s, err
}

func (i *Issuer) keyStats(r Reader) ([]KeyStats, error) {
	all, err := readSigningKeys(r)
	if err != nil {
		return nil, err
	}
	var stats []KeyStats
	for _, line := range all.lines() {
		if line.purpose != PurposeAccess {
			continue
		}
		keys := all.of(line)
		due, err := i.rotationDue(r, keys)
		if err != nil {
			return nil, err
		}
		one := KeyStats{Algorithm: line.algorithm, Next: keys.in(KeyNext).Created, RotationDue: due}
		if active := keys.in(KeyActive); active != nil {
			one.Active = active.Activated
		}
		stats = append(stats, one)
	}
	return stats, nil
}
