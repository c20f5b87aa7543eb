package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/revocation"
)

// lookup asks about so many strangers, one after the other.
type lookup func(n int) error

var errRefused = errors.New("a token that no rule names is refused")

func checkSet(set *revocation.Set, asked *strangers) lookup {
	return func(n int) error {
		for range n {
			if set.Verdict(asked.ask()) != jot.Current {
				return errRefused
			}
		}
		return nil
	}
}

// goals of a check, in nanoseconds, by the number of rules.
var checkGoals = map[int]float64{1_000: 13, 1_000_000: 25, 10_000_000: 70}

// measureChecks is the promise itself: a look into sets of different sizes.
func measureChecks(ctx context.Context, p plan, r *report) error {
	asked := newStrangers(p.million)
	for _, count := range p.rules {
		p.show(fmt.Sprint(count, " rules"))
		set, err := newSet(sessionRules(count))
		if err != nil {
			return err
		}
		check := checkSet(set, asked)
		times, err := takeTurns(ctx, p, contender{check, measure.CPUTime})
		if err != nil {
			return err
		}
		const some = 100
		allocations := testing.AllocsPerRun(4, func() { _ = check(some) })
		r.add(line{
			Name: fmt.Sprintf("check, %s rules", grouped(count)), Measured: measure.Median(times[0]), Unit: "ns", AtMost: checkGoals[count],
			Note: fmt.Sprintf("%.0f allocations", allocations/some),
		})
		runtime.KeepAlive(set)
	}
	return nil
}

// clock tells how much time of a kind has passed.
type clock func() time.Duration

// contender is asked by its own clock.
type contender struct {
	ask lookup
	now clock
}

// takeTurns lets contenders take turns, so that whatever else happens on the machine strikes all of them alike, and
// returns the nanoseconds of one lookup of each, round by round.
func takeTurns(ctx context.Context, p plan, contenders ...contender) ([][]float64, error) {
	repetitions, times := make([]int, len(contenders)), make([][]float64, len(contenders))
	for n, c := range contenders {
		var err error
		if repetitions[n], err = measure.Repetitions(c.ask, c.now, p.turn); err != nil {
			return nil, err
		}
	}
	for range p.rounds {
		for n, c := range contenders {
			runtime.GC()
			began := c.now()
			if err := errors.Join(c.ask(repetitions[n]), ctx.Err()); err != nil {
				return nil, err
			}
			times[n] = append(times[n], float64(c.now()-began)/float64(repetitions[n]))
		}
	}
	return times, nil
}

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return grouped(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
