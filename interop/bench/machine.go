package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// circumstances say when, on what and with which versions was measured.
func circumstances(now time.Time, p pace) string {
	return fmt.Sprintf("%s, %s, %d cores, %s/%s, %s; medians of %d rounds of %v each, %s. %s.",
		now.Format(time.DateOnly), processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(),
		p.rounds, p.turn, clock, strings.Join(peerVersions(), ", "))
}

// processor is the model of the CPU, as far as the system tells.
func processor() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "a CPU of unknown model"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "a CPU of unknown model"
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
