package main

import (
	"context"
	"runtime"

	"github.com/jot-auth/jot/revocation"
)

// measureMemory is what a set keeps for each rule: when a million were applied at once, at the worst moment of growing
// one by one, and while a set is rebuilt that readers go on using.
func measureMemory(_ context.Context, p plan, r *report) error {
	rules := sessionRules(2 * p.million)
	empty := inUse()
	set, err := newSet(rules[:p.million])
	if err != nil {
		return err
	}
	perRule := func(bytes int64) float64 { return float64(bytes) / float64(set.Len()) }
	r.add(line{Name: "memory a rule, a million at once", Measured: perRule(inUse() - empty), Unit: "B", AtMost: 32})
	runtime.KeepAlive(set)
	worst, rebuilding := 0.0, 0.0
	set = revocation.NewSet()
	step, before := p.million/100, inUse()-empty
	for n := 0; n < len(rules); n += step {
		if err := set.Apply(rules[n : n+step]...); err != nil {
			return err
		}
		after := inUse() - empty
		if n >= p.million/10 { // a small set has room to begin with
			worst = max(worst, perRule(after))
		}
		if after > before+before/10 { // it was rebuilt: meanwhile there were both
			rebuilding = max(rebuilding, float64(after+before)/float64(after))
		}
		before = after
	}
	r.add(line{Name: "memory a rule, at the worst moment of growing to two millions", Measured: worst, Unit: "B", AtMost: 64})
	r.add(line{Name: "memory while a set is rebuilt, by what it takes afterwards", Measured: rebuilding, Unit: "×", AtMost: 2})
	runtime.KeepAlive(rules)
	return nil
}

// inUse is the memory of what is still reachable.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
