package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot/interop/measure"
)

// call is one operation of one of several clients, which are numbered from 0.
type call func(ctx context.Context, client int) error

// crowd is some clients that each do the same, one operation after the other.
type crowd struct {
	clients int
	call    call
	limit   int64 // operations at most; 0: no limit
	done    atomic.Int64
	stopped atomic.Bool
}

// run lets the clients work until the deadline, the limit, a failure or stop, at least once each, and returns how long
// each operation took. Its goroutines end with it.
func (c *crowd) run(ctx context.Context, deadline time.Time) ([]time.Duration, error) {
	took := make([][]time.Duration, c.clients)
	failed := make([]error, c.clients)
	var clients sync.WaitGroup
	for i := range c.clients {
		clients.Go(func() {
			for first := true; (first || time.Now().Before(deadline)) && !c.stopped.Load() && (c.limit == 0 || c.done.Add(1) <= c.limit); first = false {
				began := time.Now()
				if failed[i] = c.call(ctx, i); failed[i] != nil {
					c.stop()
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	clients.Wait()
	return slices.Concat(took...), errors.Join(failed...)
}

func (c *crowd) stop() { c.stopped.Store(true) }

// meter reads how much CPU time has been spent so far, by the server and by its database.
type meter func() (server, database time.Duration, err error)

// cost is what the operations of one round or of several took.
type cost struct {
	server, database []float64 // milliseconds of CPU per operation, of each round
	took             []time.Duration
}

// measureRounds runs one round to warm up, and others that count. Beside the clients, others may work that don't.
func measureRounds(ctx context.Context, p plan, read meter, limit int64, c call, beside *crowd) (cost, error) {
	var total cost
	for n := range p.rounds + 1 {
		front := &crowd{clients: p.clients, call: c, limit: limit}
		server0, database0, err := read()
		if err != nil {
			return total, err
		}
		took, err := runBeside(ctx, front, beside, time.Now().Add(p.turn))
		if err != nil {
			return total, err
		}
		server1, database1, err := read()
		if err != nil {
			return total, err
		}
		if n > 0 && len(took) > 0 {
			total.server = append(total.server, milliseconds(server1-server0)/float64(len(took)))
			total.database = append(total.database, milliseconds(database1-database0)/float64(len(took)))
			total.took = append(total.took, took...)
		}
	}
	slices.Sort(total.took)
	return total, nil
}

// runBeside returns how long the operations of the front took. The others begin before it and end after it.
func runBeside(ctx context.Context, front, beside *crowd, deadline time.Time) ([]time.Duration, error) {
	if beside == nil {
		return front.run(ctx, deadline)
	}
	beside.stopped.Store(false)
	ended := make(chan error, 1)
	go func() { // ends after stop below
		_, err := beside.run(ctx, deadline.Add(maxTurn))
		ended <- err
	}()
	took, err := front.run(ctx, deadline)
	beside.stop()
	return took, errors.Join(err, <-ended)
}

func (c cost) quantile(share float64) float64 { return milliseconds(measure.Quantile(c.took, share)) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
