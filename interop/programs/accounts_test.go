package programs

import (
	"testing"
	"time"
)

func TestAccounts(t *testing.T) {
	line := "42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 20 10 20 0 9 0 1 2 3 18446744073709551615 1"
	got, err := parseAccounts(line)
	if want := (accounts{parent: 7, cpu: 2 * time.Second, children: 300 * time.Millisecond}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := parseAccounts("42 (x) S 7"); err == nil {
		t.Error("a short line is accepted")
	}
}
