//go:build unix

package measure

import (
	"syscall"
	"time"
)

// Clock is the name of what CPUTime measures.
const Clock = "CPU time"

// CPUTime is what all threads of this process have spent, for itself and in the kernel.
func CPUTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it fails for bad arguments only
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
