package revocation

import (
	"encoding/binary"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/jot-auth/jot"
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

// alikes are subjects that somebody chose so that all have one tag: their second block makes nothing of what comes
// before the last.
func alikes(count int) (subjects []string) {
	for n := 0; len(subjects) < count; n++ {
		first := fmt.Sprintf("%016d", n)
		h := foldBlock(3*tagBlock, []byte(first)) ^ 0x9e3779b97f4a7c15
		if vanishing := string(binary.LittleEndian.AppendUint64(nil, h)); utf8.ValidString(vanishing) {
			subjects = append(subjects, first+vanishing+"whatever"+"the same last 16")
		}
	}
	return subjects
}

// Who chooses subjects of one tag has the rules about each refuse that one's tokens and nobody else's, and makes nobody
// look for long.
func TestSubjectsOfOneTag(t *testing.T) {
	const count = 1000
	subjects := alikes(2 * count)
	s := NewSet()
	for n, subject := range subjects[:count] {
		id := fmt.Sprint(n)
		about := []Rule{
			{Kind: Session, Issuer: testIssuer, Value: "sid" + id, Subject: subject, Expires: 1000}, {Kind: TokenID, Issuer: testIssuer, Value: "jti" + id, Subject: subject, Expires: 1000},
			{Kind: SubjectGeneration, Issuer: testIssuer, Value: subject, Minimum: 5, Expires: 1000}, {Kind: SubjectIssuedAt, Issuer: testIssuer, Value: subject, Minimum: 7, Expires: 1000},
		}
		if err := s.Apply(about[n%len(about)]); err != nil {
			t.Fatal(err)
		}
	}
	for n, subject := range subjects {
		if tagOf([]byte(subject)) != tagOf([]byte(subjects[0])) {
			t.Fatalf("%q has another tag", subject)
		}
		id := fmt.Sprint(n)
		facts := jot.RevocationFacts{Issuer: []byte(testIssuer), Subject: []byte(subject), SessionID: []byte("sid" + id), ID: []byte("jti" + id), HasIssuedAt: true, IssuedAt: 6, Generation: 4}
		want := jot.Revoked
		switch {
		case n >= count:
			want = jot.Current
		case n%4 == 2:
			want = jot.StaleClaims
		}
		if got := s.Verdict(&facts); got != want {
			t.Errorf("subject %d: %v, want %v", n, got, want)
		}
	}
	i := s.index.Load()
	for n := range i.table {
		if e := &i.table[n]; e.owner != 0 {
			if steps := (n - i.home(e.fingerprint) + len(i.table)) % len(i.table); steps > count/4 {
				t.Fatalf("a rule is found after %d steps", steps)
			}
		}
	}
}
