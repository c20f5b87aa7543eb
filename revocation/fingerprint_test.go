package revocation

import (
	"fmt"
	"testing"
)

// TestTags pins what snapshots bear: the tags were reckoned by another program.
func TestTags(t *testing.T) {
	for subject, want := range map[string]tag{
		"":                                      0xd6cb8892,
		"ada":                                   0x500f5fc6,
		"0123456789abcdef":                      0x9210128d,
		"0123456789abcdefg":                     0x83923723,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ":            0x24a60cbe,
		"0123456789abcdef0123456789abcdef":      0x7514c2cf,
		"0123456789abcdef0123456789abcdef+tail": 0x6c927d48,
	} {
		if got := tagOf([]byte(subject)); got != want {
			t.Errorf("%q has the tag %#x, not %#x", subject, got, want)
		}
	}
}

// TestTagsSpread takes names as people number them: hardly any two have the same tag.
func TestTagsSpread(t *testing.T) {
	const count, expected = 200_000, 5 // count²/2 pairs, of which one in 2³² is equal by chance
	for _, form := range []string{"%d", "user-%d", "%012d@example.com", "auth0|5f7c8ec7c33c6c004bbafe82-%d", "0123456789abcdef%d"} {
		seen, same := make(map[tag]bool, count), 0
		for n := range count {
			about := tagOf(fmt.Appendf(nil, form, n))
			if seen[about] {
				same++
			}
			seen[about] = true
		}
		if same > 4*expected {
			t.Errorf("of %d names like %q, %d have the tag of another", count, form, same)
		}
	}
}

func TestTagsAllocateNothing(t *testing.T) {
	for _, subject := range []string{"ada", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
		about := []byte(subject)
		if n := testing.AllocsPerRun(100, func() { tagOf(about) }); n != 0 {
			t.Errorf("%q: %v allocations", subject, n)
		}
	}
}
