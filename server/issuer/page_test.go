package issuer

import "testing"

// FuzzParsePosition: a place in a list is the one that it was made of, and is found by its text alone.
func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{"", "MTcwMDAwMDAwMDAwMCBzaWRfMQ", "LTEgYQ", "KzEgYQ", "OTIyMzM3MjAzNjg1NDc3NTgwNyBh", "MCA", "MCAA", "MQ", "MTcwMDAwMDAwMDAwMCBzaWRfMQ=="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePosition(text)
		if err != nil {
			if p != (Position{}) || err != errPosition {
				t.Errorf("%q: %+v beside %v", text, p, err)
			}
			return
		}
		if text == "" {
			return
		}
		if again, err := parsePosition(p.String()); err != nil || again.compare(p) != 0 || again != p {
			t.Errorf("%q is %+v, and that is %+v, %v", text, p, again, err)
		}
	})
}
