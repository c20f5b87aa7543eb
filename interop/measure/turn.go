package measure

import (
	"fmt"
	"time"
)

// Repetitions returns how often work has to be repeated to fill a turn, by a clock that tells how much time of its kind
// has passed. work(n) does its thing n times.
func Repetitions(work func(n int) error, clock func() time.Duration, turn time.Duration) (int, error) {
	for n := 1; ; n *= 2 {
		began := clock()
		if err := work(n); err != nil {
			return 0, err
		}
		if took := clock() - began; took >= turn/4 {
			return max(1, int(float64(n)*float64(turn)/float64(took))), nil
		}
		if n > 1<<40 {
			return 0, fmt.Errorf("%d repetitions take no time at all", n)
		}
	}
}
