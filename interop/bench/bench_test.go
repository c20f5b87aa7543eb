package main

import (
	"strings"
	"testing"
	"time"
)

// benchPace is enough for a ratio beside the time per operation, which testing measures by itself.
var benchPace = pace{rounds: 9, turn: 5 * time.Millisecond}

// Benchmark runs each operation in each library: go test -run - -bench . ./interop/bench, or -bench ./HS256 for some.
func Benchmark(b *testing.B) {
	k := testKeyring(b)
	names := []string{"baseline", "jot"}
	for _, lib := range peers() {
		names = append(names, lib.name)
	}
	for _, o := range operations() {
		b.Run(strings.ReplaceAll(o.name+" × "+o.against.name, "/", "-"), func(b *testing.B) {
			contenders, err := o.contenders(k)
			if err != nil {
				b.Fatal(err)
			}
			for i, c := range contenders {
				if c != nil {
					b.Run(names[i], func(b *testing.B) { benchmark(b, contenders[0], c) })
				}
			}
		})
	}
}

// benchmark reports, beside the usual, how many times the baseline's CPU time the work takes.
func benchmark(b *testing.B, base, c work) {
	b.ReportAllocs()
	if err := c(b.N); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if base == nil {
		return
	}
	results, err := compare([]work{base, c}, benchPace)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(results[jotPlace].ratio, "×baseline")
}
