package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/revocation"
)

// measurePeers asks a set, and what others would ask in its place, about the same strangers. Each of them holds the
// same million subjects.
func measurePeers(ctx context.Context, p plan, r *report) error {
	rules, asked := sessionRules(p.million), newStrangers(p.million)
	set, err := newSet(rules)
	if err != nil {
		return err
	}
	check := func(asked *strangers) lookup { return checkSet(set, asked) }
	inMemory := []struct {
		name string
		goal float64
		ask  func(*strangers) lookup
	}{
		{"map and sync.RWMutex", 8, askMap(rules)},
		{"sync.Map", 20, askSyncMap(rules)},
	}
	times, err := takeTurns(ctx, p, contender{onAllCores(asked, check), measure.CPUTime},
		contender{onAllCores(asked, inMemory[0].ask), measure.CPUTime}, contender{onAllCores(asked, inMemory[1].ask), measure.CPUTime})
	if err != nil {
		return err
	}
	for n, peer := range inMemory {
		r.addPeer(peer.name, peer.goal, times[0], times[n+1])
	}
	for _, peer := range []struct {
		name string
		open func(context.Context, plan, []revocation.Rule) (asker, error)
	}{{"Redis GET", openRedis}, {"PostgreSQL SELECT", openPostgres}} {
		p.show(peer.name)
		a, err := peer.open(ctx, p, rules)
		if err != nil {
			return fmt.Errorf("%s: %w", peer.name, err)
		}
		times, err := takeTurns(ctx, p, contender{check(asked), measure.CPUTime}, contender{askOver(ctx, a, asked), onTheClock()})
		a.close()
		if err != nil {
			return fmt.Errorf("%s: %w", peer.name, err)
		}
		r.addPeer(peer.name, 500, times[0], times[1])
	}
	return nil
}

// onAllCores lets each core ask at once, as a verifier does that is busy. The strangers of each begin elsewhere.
func onAllCores(asked *strangers, ask func(*strangers) lookup) lookup {
	cores := runtime.GOMAXPROCS(0)
	each := make([]lookup, cores)
	for n := range each {
		own := *asked
		own.next = len(own.text) / idSize * n / cores * idSize
		each[n] = ask(&own)
	}
	return func(n int) error {
		failed := make([]error, cores)
		var all sync.WaitGroup
		for core, ask := range each {
			all.Go(func() { failed[core] = ask(n/cores + 1) })
		}
		all.Wait()
		return errors.Join(failed...)
	}
}

// addPeer adds how many times longer a peer takes than the set, in the median of the rounds.
func (r *report) addPeer(name string, goal float64, set, peer []float64) {
	ratios := make([]float64, len(set))
	for n := range set {
		ratios[n] = peer[n] / set[n]
	}
	r.add(line{
		Name: "the same check as " + name, Measured: measure.Median(ratios), Unit: "×", AtLeast: goal,
		Note: fmt.Sprintf("%s ns against %s ns", figure(measure.Median(peer)), figure(measure.Median(set))),
	})
}

func askMap(rules []revocation.Rule) func(*strangers) lookup {
	refused := make(map[string]int64)
	for _, r := range rules {
		refused[r.Subject] = r.Expires
	}
	var lock sync.RWMutex
	return func(asked *strangers) lookup {
		return func(n int) error {
			for range n {
				lock.RLock()
				_, found := refused[string(asked.ask().Subject)]
				lock.RUnlock()
				if found {
					return errRefused
				}
			}
			return nil
		}
	}
}

func askSyncMap(rules []revocation.Rule) func(*strangers) lookup {
	var refused sync.Map
	for _, r := range rules {
		refused.Store(r.Subject, r.Expires)
	}
	return func(asked *strangers) lookup {
		return func(n int) error {
			for range n {
				if _, found := refused.Load(string(asked.ask().Subject)); found {
					return errRefused
				}
			}
			return nil
		}
	}
}

// asker is a store over a socket.
type asker struct {
	has   func(ctx context.Context, subject []byte) (bool, error)
	close func()
}

func askOver(ctx context.Context, a asker, asked *strangers) lookup {
	return func(n int) error {
		for range n {
			found, err := a.has(ctx, asked.ask().Subject)
			if err != nil {
				return err
			}
			if found {
				return errRefused
			}
		}
		return nil
	}
}
