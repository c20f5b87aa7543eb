package vectors

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// No case may take more, whatever it expects. All that is allocated counts, also what is free again.
const (
	maxTime   = 2 * time.Second
	maxMemory = 64 << 20

	attempts = 3           // at keeping the time: other work of the machine is no fault of the case
	hanging  = time.Minute // and no machine is that busy
)

// bounded runs what is to be judged, and returns why it went out of bounds, or "".
func bounded(run func()) (fault string) {
	for range attempts {
		taken, fault := measured(run)
		if fault != "" || taken <= maxTime {
			return fault
		}
	}
	return fmt.Sprintf("takes more than %v", maxTime)
}

func measured(run func()) (taken time.Duration, fault string) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	done := make(chan string, 1)
	go func() { // ends with run; when that hangs, with the test
		defer func() {
			if reason := recover(); reason != nil {
				done <- fmt.Sprintf("panic: %v\n%s", reason, debug.Stack())
			}
			close(done)
		}()
		run()
	}()
	select {
	case fault = <-done:
	case <-time.After(hanging):
		return 0, "hangs"
	}
	taken = time.Since(start)
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; fault == "" && allocated > maxMemory {
		fault = fmt.Sprintf("allocated %d MiB", allocated>>20)
	}
	return taken, fault
}
