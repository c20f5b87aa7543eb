package jose

import (
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		token                      string
		header, payload, signature string
		ok                         bool
	}{
		{"a.b.c", "a", "b", "c", true},
		{"..", "", "", "", true},
		{"header..signature", "header", "", "signature", true},
		{"a.b.", "a", "b", "", true},
		{"", "", "", "", false},
		{"a", "", "", "", false},
		{"a.b", "", "", "", false},
		{".", "", "", "", false},
		{"a.b.c.", "", "", "", false},
		{"a.b.c.d", "", "", "", false},
		{"a.b.c.d.e", "", "", "", false},
		{"...", "", "", "", false},
	}
	for _, test := range tests {
		header, payload, signature, ok := Split(test.token)
		if header != test.header || payload != test.payload || signature != test.signature || ok != test.ok {
			t.Errorf("Split(%q) = %q, %q, %q, %v", test.token, header, payload, signature, ok)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"", ".", "..", "...", "a.b.c", "a.b", "a.b.c.d", "ä.\xff.\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		header, payload, signature, ok := Split(token)
		if ok != (strings.Count(token, ".") == 2) {
			t.Fatalf("Split(%q) is ok: %v", token, ok)
		}
		if ok && header+"."+payload+"."+signature != token {
			t.Fatalf("Split(%q) = %q, %q, %q", token, header, payload, signature)
		}
		if !ok && header+payload+signature != "" {
			t.Fatalf("Split(%q) fails and returns %q, %q, %q", token, header, payload, signature)
		}
	})
}
