//go:build !unix

package main

import "time"

const clock = "wall-clock time"

var started = time.Now()

// cpuTime is the time on the clock: on a quiet machine it's nearly the same.
func cpuTime() time.Duration { return time.Since(started) }
