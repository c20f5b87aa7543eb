package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/jot-auth/jot/interop/measure"
)

// circumstances say when, on what and with which versions was measured.
func circumstances(p pace) string {
	return fmt.Sprintf("%v; medians of %d rounds of %v each, %s. %s.",
		measure.Here(), p.rounds, p.turn, measure.Clock, strings.Join(peerVersions(), ", "))
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
