package programs

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Tick is the unit of the CPU times in /proc: Linux has 100 of them a second on every machine that Go knows.
const Tick = time.Second / 100

// accounts are what /proc/PID/stat says of a process.
type accounts struct {
	parent   int
	cpu      time.Duration // for itself and in the kernel, of all its threads
	children time.Duration // the same of those children that have ended
}

func accountsOf(pid int) (accounts, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return accounts{}, fmt.Errorf("CPU time is measured with Linux's /proc: %w", err)
	}
	return parseAccounts(string(text))
}

// parseAccounts reads the fields of proc(5) behind the name of the program, which alone may contain spaces and
// parentheses.
func parseAccounts(stat string) (accounts, error) {
	const (
		parent      = 4 - 3 // the numbers of proc(5), of which the first three are cut off
		userTime    = 14 - 3
		systemTime  = 15 - 3
		childUser   = 16 - 3
		childSystem = 17 - 3
	)
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= childSystem {
		return accounts{}, fmt.Errorf("%q is no line of /proc/PID/stat", stat)
	}
	var numbers [childSystem + 1]int
	for i := parent; i <= childSystem; i++ {
		numbers[i], _ = strconv.Atoi(fields[i]) // the flags among them may be too large, and don't count
	}
	return accounts{
		parent:   numbers[parent],
		cpu:      time.Duration(numbers[userTime]+numbers[systemTime]) * Tick,
		children: time.Duration(numbers[childUser]+numbers[childSystem]) * Tick,
	}, nil
}

// CPU is what a process has spent.
func CPU(pid int) (time.Duration, error) {
	a, err := accountsOf(pid)
	return a.cpu, err
}

// CPUOfFamily is what a process and its children have spent, those that have ended too.
func CPUOfFamily(pid int) (time.Duration, error) {
	head, err := accountsOf(pid)
	if err != nil {
		return 0, err
	}
	total := head.cpu + head.children
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, folder := range processes {
		id, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		if a, err := accountsOf(id); err == nil && a.parent == pid { // it may have ended meanwhile
			total += a.cpu
		}
	}
	return total, nil
}

// Resident is the memory of a process that is in the machine's, in bytes.
func Resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}
