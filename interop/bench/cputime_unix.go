//go:build unix

package main

import (
	"syscall"
	"time"
)

const clock = "CPU time"

// cpuTime is what all threads of this process have spent, for itself and in the kernel.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it fails for bad arguments only
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
