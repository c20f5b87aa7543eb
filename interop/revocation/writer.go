package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

const (
	frameRules = 100 // that the writer gets at once
	askers     = 2
)

// measureWriter is how many rules a set takes, in frames, in a second of its writer's CPU time, while others ask about
// what they have been told of. Run this program with -race to see it under the race detector.
func measureWriter(ctx context.Context, p plan, r *report) error {
	rules := sessionRules(p.million)
	set := revocation.NewSet()
	var applied, asked atomic.Int64
	failed := make([]error, askers)
	var all sync.WaitGroup
	for n := range failed {
		all.Go(func() { failed[n] = askAfter(ctx, set, rules, &applied, &asked) })
	}
	runtime.LockOSThread() // whose time counts
	defer runtime.UnlockOSThread()
	began, err := threadTime()
	for n := 0; n < len(rules) && err == nil; n += frameRules {
		end := min(n+frameRules, len(rules))
		err = set.Apply(rules[n:end]...)
		applied.Store(int64(end))
	}
	ended, failure := threadTime()
	took := max(ended-began, time.Microsecond) // what a few rules take may not be seen
	applied.Store(int64(len(rules)))
	all.Wait()
	r.add(line{
		Name: fmt.Sprintf("a writer beside %d askers: rules a second", askers), Measured: float64(len(rules)) / took.Seconds(), AtLeast: 100_000,
		Note: fmt.Sprintf("and %d questions", asked.Load()),
	})
	return errors.Join(append(failed, err, failure)...)
}

// threadTime is the CPU time of this thread. Only Linux tells it.
func threadTime() (time.Duration, error) {
	const ofThread = 1
	var usage syscall.Rusage
	err := syscall.Getrusage(ofThread, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), err
}

// askAfter asks about the rule that was applied last, until that is the last of all.
func askAfter(ctx context.Context, set *revocation.Set, rules []revocation.Rule, applied, asked *atomic.Int64) error {
	f := &jot.RevocationFacts{Issuer: []byte(issuerName), IssuedAt: time.Now().Unix(), HasIssuedAt: true}
	for last := int64(0); last < int64(len(rules)) && ctx.Err() == nil; asked.Add(1) {
		if last = applied.Load(); last == 0 {
			continue
		}
		newest := &rules[last-1]
		f.Subject, f.SessionID = append(f.Subject[:0], newest.Subject...), append(f.SessionID[:0], newest.Value...)
		if set.Verdict(f) != jot.Revoked {
			return fmt.Errorf("rule %d is missed", last)
		}
	}
	return ctx.Err()
}
