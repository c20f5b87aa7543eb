package revocation

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// snapshotOf returns the bytes that a snapshot's digest covers.
func snapshotOf(t testing.TB, rules ...Rule) []byte {
	t.Helper()
	var s Snapshot
	for _, r := range rules {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return s.body()
}

// A set that was loaded answers as one to which the rules were applied.
func TestSnapshotAgainstTheModel(t *testing.T) {
	rules := append(universe(), distant()...)
	set, err := loadSet(snapshotOf(t, rules...), len(rules))
	if err != nil || set.Len() != len(merged(rules)) {
		t.Fatalf("%v, %v", set, err)
	}
	for _, f := range tokens() {
		if got, want := set.Verdict(f), naive(rules, f); got != want {
			t.Fatalf("%v for %s, want %v", got, describe(f), want)
		}
	}
	for _, r := range rules {
		set, err := loadSet(snapshotOf(t, r), 1)
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		for _, f := range tokens() {
			if got, want := set.Verdict(f), naive([]Rule{r}, f); got != want {
				t.Fatalf("%+v: %v for %s, want %v", r, got, describe(f), want)
			}
		}
	}
}

// identifiers are of every form, and near to one.
var identifiers = []string{
	rand.Text(), strings.Repeat("A", 26), strings.Repeat("7", 26), strings.Repeat("a", 26), strings.Repeat("A", 25), strings.Repeat("A", 27), strings.Repeat("1", 26),
	base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 16)), strings.Repeat("A", 22), strings.Repeat("B", 22), strings.Repeat("A", 21) + "\n", strings.Repeat("-", 22),
	"12345678-9abc-def0-1234-56789abcdef0", "12345678-9ABC-def0-1234-56789abcdef0", "123456789-abc-def0-1234-56789abcdef0", "12345678-9abc-def0-1234-56789abcdefg",
	"x", "ü", strings.Repeat("long", 256), "\x00",
}

func TestSnapshotOfIdentifiers(t *testing.T) {
	for _, id := range identifiers {
		for kind, shape := range shapes {
			r := Rule{Kind: kind, Issuer: testIssuer, Value: id}
			if !shape.value {
				continue
			}
			if shape.subject {
				r.Subject = "sub"
			}
			if shape.minimum {
				r.Minimum = math.MaxInt64
			}
			if shape.expires {
				r.Expires = math.MaxInt64
			}
			var want record
			want.of(r)
			err := decodeSnapshot(snapshotOf(t, r), 1, func(int) {}, func(got *record) {
				if !equalRecords(got, &want) {
					t.Errorf("%+v is read as %+v", want, got)
				}
			})
			if err != nil {
				t.Errorf("%+v: %v", r, err)
			}
		}
	}
	for f, want := range map[form]int{formBase32: 3, formBase64URL: 2, formUUID: 1} {
		if got := len(slices.Collect(func(yield func(string) bool) {
			for _, id := range identifiers {
				if formOf([]byte(id)) == f && !yield(id) {
					return
				}
			}
		})); got != want {
			t.Errorf("%d identifiers of form %d, want %d", got, f, want)
		}
	}
}

func equalRecords(a, b *record) bool {
	return a.kind == b.kind && bytes.Equal(a.issuer, b.issuer) && bytes.Equal(a.value, b.value) && a.tag == b.tag && a.minimum == b.minimum && a.expires == b.expires
}

// Even a holder of the feed key gets nothing through that isn't the one way to write it.
func TestSnapshotRefuses(t *testing.T) {
	one := Rule{Kind: SubjectGeneration, Issuer: "i", Value: "s", Minimum: 1, Expires: 2}
	good := snapshotOf(t, one)[len(snapshotMagic)+1:]
	if want := []byte{3, 0, 1, 'i', 1, 1, 's', 1, 4}; !bytes.Equal(good, want) {
		t.Fatalf("%v, want %v", good, want)
	}
	huge := binary.AppendUvarint(nil, math.MaxUint64)
	for name, groups := range map[string][]byte{
		"more rules than counted": slices.Concat(good, []byte{4}, good[1:], []byte{5}, good[1:], []byte{8, 0, 1, 'i', 1, 1, 'k'}),
		"a kind of 0":             {0, 0, 1, 'i', 1, 1, 's', 1, 4}, "an unknown kind": {9, 0, 1, 'i', 1, 1, 's', 1, 4}, "an unknown form": {3, 5, 1, 'i', 1, 1, 's', 1, 4},
		"no issuer": {3, 0, 0, 1, 1, 's', 1, 4}, "an issuer that isn't UTF-8": {3, 0, 1, 0xff, 1, 1, 's', 1, 4}, "no rules": {3, 0, 1, 'i', 0},
		"a count beyond the end": {3, 0, 1, 'i', 100, 1, 's', 1, 4}, "a huge count": slices.Concat([]byte{3, 0, 1, 'i'}, huge), "a long number": {3, 0, 1, 'i', 0x81, 0, 1, 's', 1, 4},
		"an endless number": slices.Concat([]byte{3, 0, 1, 'i'}, bytes.Repeat([]byte{0xff}, 11)), "an empty text": {3, 0, 1, 'i', 1, 0, 1, 4}, "a minimum of 0": {3, 0, 1, 'i', 1, 1, 's', 0, 4},
		"a huge minimum": slices.Concat([]byte{3, 0, 1, 'i', 1, 1, 's'}, huge, []byte{4}), "an expiry of 0": {3, 0, 1, 'i', 1, 1, 's', 1, 0}, "an expiry below 0": {3, 0, 1, 'i', 1, 1, 's', 1, 1},
		"an expiry that overflows": slices.Concat([]byte{3, 0, 1, 'i', 2, 1, 's', 1, 4, 1, 't', 1}, binary.AppendVarint(nil, math.MaxInt64)), "a value where none may be": {7, 0, 1, 'i', 1, 1, 's', 1, 4},
		"no value where one has to be": {3, 4, 1, 'i', 1, 1, 4}, "text that fits a form": slices.Concat([]byte{8, 0, 1, 'i', 1, 26}, bytes.Repeat([]byte{'A'}, 26)),
		"base32 with loose bits": slices.Concat([]byte{8, 1, 1, 'i', 1}, bytes.Repeat([]byte{0xff}, 17)), "the same group twice": slices.Concat(good, good),
		"groups out of order": slices.Concat([]byte{8, 0, 1, 'i', 1, 1, 'k'}, good), "a long text": slices.Concat([]byte{3, 0, 1, 'i', 1, 0x81, 8}, make([]byte, 1025), []byte{1, 4}),
	} {
		for count := range byte(4) {
			if set, err := loadSet(slices.Concat([]byte(snapshotMagic), []byte{count}, groups), 10); err == nil {
				t.Errorf("%s: %d rules", name, set.Len())
			}
		}
	}
	for n := range good {
		if _, err := loadSet(slices.Concat([]byte(snapshotMagic), []byte{1}, good[:n]), 10); err == nil {
			t.Errorf("cut after %d bytes: no error", n)
		}
	}
	if _, err := loadSet([]byte(snapshotMagic[1:]), 10); err == nil {
		t.Error("another format is read")
	}
	var s Snapshot
	if err := s.Add(Rule{}); err == nil || len(s.groups) != 0 {
		t.Error("an invalid rule is written")
	}
}

func TestSnapshotBounds(t *testing.T) {
	key, signer := feedKey(t)
	verifier, err := NewStatementVerifier(jot.NewKeySet(key.Public()), testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	s := Statement{Head: NewLog("log"), Time: time.Now(), MaxTTL: time.Hour}
	good := encodeSnapshot(t, signer, s, universe())
	sign := func(s Statement) string {
		signed, err := s.Sign(t.Context(), signer, testIssuer)
		if err != nil {
			t.Fatal(err)
		}
		return signed + "\n"
	}
	huge := s
	huge.Digest, huge.Size = new([32]byte), MaxSnapshot+1
	short := s
	short.Digest, short.Size = new(sha256.Sum256([]byte("jot"))), 3
	for name, c := range map[string]struct {
		data  []byte
		rules int
		ok    bool
	}{
		"as large as allowed": {good, len(universe()), true},
		"a rule too many":     {good, len(universe()) - 1, false},
		"a byte too few":      {good[:len(good)-1], 1000, false},
		"a byte too many":     {append(slices.Clone(good), 0), 1000, false},
		"signed as too large": {[]byte(sign(huge)), 1000, false},
		"signed as too small": {[]byte(sign(short) + "jot"), 1000, false},
		"no end of a line":    {bytes.Repeat([]byte{'a'}, 2*maxStatement), 1000, false},
	} {
		got, set, err := ReadSnapshot(t.Context(), bytes.NewReader(c.data), verifier, c.rules)
		if ok := err == nil; ok != c.ok || ok && (set.Len() != len(merged(universe())) || got.Head != s.Head) || !ok && set != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// What is read is the only way to write what was read, whatever the digest says.
func FuzzSnapshot(f *testing.F) {
	all := universe()
	for _, id := range identifiers {
		all = append(all, Rule{Kind: Session, Issuer: testIssuer, Value: id, Subject: id, Expires: int64(len(id))})
	}
	whole := snapshotOf(f, all...)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(snapshotOf(f, all[0]))
	f.Add([]byte(snapshotMagic + "\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var again Snapshot
		count := 0
		err := decodeSnapshot(body, 1000, func(int) {}, func(r *record) {
			count++
			if err := again.add(r); err != nil {
				t.Error(err)
			}
		})
		if err == nil && (!bytes.Equal(again.body(), body) || count > 1000) {
			t.Errorf("%q is read, and written as %q", body, again.body())
		}
	})
}

// mixedRules are the rules of a large issuer: mostly sessions that ended, with some of each other kind.
func mixedRules(count int) func(func(Rule) bool) {
	began := int64(1_800_000_000)
	return func(yield func(Rule) bool) {
		for n := range count {
			r := Rule{Kind: Session, Issuer: testIssuer, Value: rand.Text(), Subject: rand.Text(), Expires: began + int64(n)/1000}
			switch n % 20 {
			case 0, 1:
				r = Rule{Kind: SubjectGeneration, Issuer: testIssuer, Value: rand.Text(), Minimum: int64(n%300) + 2, Expires: r.Expires}
			case 2:
				r.Kind = TokenID
			case 3:
				r = Rule{Kind: SubjectIssuedAt, Issuer: otherIssuer, Value: "12345678-9abc-def0-1234-" + fmt.Sprintf("%012x", n), Minimum: r.Expires, Expires: r.Expires + 1500}
			}
			if !yield(r) {
				return
			}
		}
	}
}

// million is how many rules the benchmarks have: of mixed kinds, mostly of sessions.
const million = 1_000_000

func BenchmarkSnapshotEncode(b *testing.B) {
	rules := slices.Collect(mixedRules(million))
	var body []byte
	for b.Loop() {
		body = snapshotOf(b, rules...)
	}
	b.ReportMetric(float64(len(body))/million, "B/rule")
}

func BenchmarkSnapshotLoad(b *testing.B) {
	key, signer := feedKey(b)
	verifier, err := NewStatementVerifier(jot.NewKeySet(key.Public()), testIssuer)
	if err != nil {
		b.Fatal(err)
	}
	var s Snapshot
	for r := range mixedRules(million) {
		if err := s.Add(r); err != nil {
			b.Fatal(err)
		}
	}
	whole, err := s.Encode(b.Context(), signer, testIssuer, Statement{Head: NewLog("log"), Time: time.Now(), MaxTTL: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	s = Snapshot{}
	runtime.GC()
	b.ReportAllocs()
	for b.Loop() {
		if _, set, err := ReadSnapshot(b.Context(), bytes.NewReader(whole), verifier, million); err != nil || set.Len() != million {
			b.Fatal(err)
		}
	}
}
