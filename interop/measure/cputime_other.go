//go:build !unix

package measure

import "time"

// Clock is the name of what CPUTime measures.
const Clock = "wall-clock time"

var started = time.Now()

// CPUTime is the time on the clock: on a quiet machine it's nearly the same.
func CPUTime() time.Duration { return time.Since(started) }
