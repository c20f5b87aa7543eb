package jwks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestParseCacheControl(t *testing.T) {
	for _, test := range []struct {
		fields []string
		fresh  time.Duration
		ok     bool
	}{
		{nil, 0, false},
		{[]string{""}, 0, false},
		{[]string{"public, , immutable"}, 0, false},
		{[]string{"max-age=60"}, time.Minute, true},
		{[]string{`max-age="60"`}, time.Minute, true},
		{[]string{" Max-Age = 60 ,public"}, time.Minute, true},
		{[]string{"max-age=60, max-age=30"}, 30 * time.Second, true},
		{[]string{"max-age=30", "max-age=60"}, 30 * time.Second, true},
		{[]string{"max-age=60, no-cache"}, 0, true},
		{[]string{`no-cache="a, max-age=60"`}, 0, true},
		{[]string{`x="a, max-age=60"`}, 0, false},
		{[]string{`x="a\", max-age=60"`, "max-age=20"}, 20 * time.Second, true},
		{[]string{"max-age"}, 0, true},
		{[]string{"max-age="}, 0, true},
		{[]string{"max-age=-1"}, 0, true},
		{[]string{"max-age=1.5"}, 0, true},
		{[]string{"max-age=4294967296"}, maxSeconds * time.Second, true},
		{[]string{"max-age=99999999999999999999999"}, maxSeconds * time.Second, true},
		{[]string{"no-store"}, 0, true},
	} {
		fresh, ok := parseCacheControl(test.fields)
		if fresh != test.fresh || ok != test.ok {
			t.Errorf("%q: %v, %v, want %v, %v", test.fields, fresh, ok, test.fresh, test.ok)
		}
	}
}

func FuzzParseCacheControl(f *testing.F) {
	for _, seed := range []string{"", "max-age=60", `no-cache="a, b", max-age=1`, `x="\`, ",,=", "max-age=18446744073709551616"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		fresh, ok := parseCacheControl([]string{field})
		if fresh < 0 || fresh > maxSeconds*time.Second || !ok && fresh != 0 {
			t.Errorf("%q: %v, %v", field, fresh, ok)
		}
		if !ok && strings.EqualFold(strings.TrimSpace(field), "no-store") {
			t.Errorf("%q states freshness zero", field)
		}
		h := http.Header{"Cache-Control": {field}, "Age": {field}}
		if d := lifetime(h, time.Second, time.Minute); d < time.Second || d > time.Minute {
			t.Errorf("%q: lifetime %v is out of bounds", field, d)
		}
	})
}

func TestMissingIsBounded(t *testing.T) {
	var m missing
	now := time.Now()
	for i := range 10 * missingMax {
		m.add(fmt.Sprint(i), now, now.Add(time.Minute))
	}
	if len(m) != missingMax || !m.has("0", now) {
		t.Errorf("%d key IDs are remembered, want %d", len(m), missingMax)
	}
	later := now.Add(time.Minute)
	if m.has("0", later) {
		t.Error("an expired entry counts")
	}
	m.add("late", later, later.Add(time.Minute))
	if len(m) != 1 || !m.has("late", later) {
		t.Errorf("expired entries keep the room: %d left", len(m))
	}
	long := strings.Repeat("k", missingMaxLength+1)
	if m.add(long, later, later.Add(time.Minute)); m.has(long, later) {
		t.Error("an overlong key ID is remembered")
	}
}
