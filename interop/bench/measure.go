package main

import (
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/jot-auth/jot/interop/measure"
)

// The contenders are in this order; the other libraries follow.
const (
	baselinePlace = iota
	jotPlace
	firstPeerPlace
)

// measurement is what one contender took.
type measurement struct {
	ns          float64 // CPU time per repetition, the median of all rounds
	ratio       float64 // the median over all rounds of its time by the baseline's in the same round
	quicker     float64 // the share of the rounds in which it was quicker than jot
	allocations float64
}

// pace says how long to measure.
type pace struct {
	rounds int
	turn   time.Duration // of one contender in one round
}

// compare lets the contenders take turns, so that whatever else happens on the machine strikes all of them alike;
// medians discard what struck one of them alone. Contenders that are nil are left out.
//
// The clock is the CPU time of the whole process: other processes don't count, and garbage collection does, for its
// workers are threads of this process. It's collected before each turn, outside the clock, so that nobody pays for
// another's garbage, and a turn is long enough for several collections.
func compare(contenders []work, p pace) ([]measurement, error) {
	results := make([]measurement, len(contenders))
	repetitions := make([]int, len(contenders))
	for i, c := range contenders {
		if c == nil {
			continue
		}
		if err := c(1); err != nil {
			return nil, err
		}
		results[i].allocations = allocationsOf(c)
		var err error
		if repetitions[i], err = measure.Repetitions(c, measure.CPUTime, p.turn); err != nil {
			return nil, err
		}
	}
	times := make([][]float64, len(contenders))
	ratios := make([][]float64, len(contenders))
	for range p.rounds {
		round, err := takeTurns(contenders, repetitions)
		if err != nil {
			return nil, err
		}
		for i := range contenders {
			times[i] = append(times[i], round[i])
			ratios[i] = append(ratios[i], round[i]/round[baselinePlace])
			if round[i] < round[jotPlace] {
				results[i].quicker += 1 / float64(p.rounds)
			}
		}
	}
	for i := range contenders {
		results[i].ns, results[i].ratio = measure.Median(times[i]), measure.Median(ratios[i])
	}
	return results, nil
}

// takeTurns returns the nanoseconds of one repetition of each contender.
func takeTurns(contenders []work, repetitions []int) ([]float64, error) {
	round := make([]float64, len(contenders))
	for i, c := range contenders {
		if c == nil {
			continue
		}
		runtime.GC()
		start := measure.CPUTime()
		if err := c(repetitions[i]); err != nil {
			return nil, err
		}
		round[i] = float64(measure.CPUTime()-start) / float64(repetitions[i])
	}
	return round, nil
}

// allocationsOf counts exactly, over enough repetitions that what is made only once, or again after a collection, is
// none of one of them.
func allocationsOf(c work) float64 {
	const repetitions = 50
	return math.Floor(testing.AllocsPerRun(4, func() { _ = c(repetitions) }) / repetitions)
}
