package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jot-auth/jot/interop/measure"
)

// circumstances say when, on what and with which versions was measured.
func circumstances(now time.Time, p pace) string {
	return fmt.Sprintf("%s, %s, %d cores, %s/%s, %s; medians of %d rounds of %v each, %s. %s.",
		now.Format(time.DateOnly), measure.Processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(),
		p.rounds, p.turn, measure.Clock, strings.Join(peerVersions(), ", "))
}

// peerVersions are read from what this program was built of.
func peerVersions() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var versions []string
	for _, lib := range peers() {
		for _, module := range info.Deps {
			if module.Path == lib.module {
				versions = append(versions, lib.name+" "+module.Version)
			}
		}
	}
	return versions
}
