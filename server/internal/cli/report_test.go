package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestRelative(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for seconds, want := range map[int64]string{
		0:                  "now",
		1:                  "in 1 s",
		-59:                "59 s ago",
		60:                 "in 1 min",
		14*60 + 59:         "in 14 min",
		-3*3600 - 5:        "3 h ago",
		2*86400 - 1:        "in 47 h",
		2 * 86400:          "in 2 days",
		-400 * 86400:       "400 days ago",
		3 * 31556952:       "in 3 years",
		-100 * 31556952:    "100 years ago",
		lastSecond - 18e8:  "in 7972 years",
		-lastSecond - 18e8: "8087 years ago",
	} {
		if got := relative(now.Unix()+seconds, now); got != want {
			t.Errorf("%d s: %q, not %q", seconds, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain ünïcode 日本 🙂":          "plain ünïcode 日本 🙂",
		"\x1b[31m\a\x7f":              `\u001b[31m\u0007\u007f`,
		"two\r\nlines\t":              `two\u000d\u000alines\u0009`,
		"\u202eabc\u2066\u200b\ufeff": `\u202eabc\u2066\u200b\ufeff`,
		"\u009b31m\u2028":             `\u009b31m\u2028`,
		"\U000e0041":                  `\udb40\udc41`,
		"\xff\xc3":                    `\xff\xc3`,
		"\ufffd":                      "\ufffd",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
	}
}

// FuzzInspect takes apart whatever comes, and holds every report to what a terminal may be shown.
func FuzzInspect(f *testing.F) {
	for _, seed := range []string{
		"", ".", "..", "a.b.c.d.e", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTAwMH0.AAAA",
		"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.BBBB.CCCC", `{"payload":"aGk","signatures":[{"protected":"e30","header":{},"signature":"A="}]}`, `{"ciphertext":"A","recipients":[{"header":{"alg":"\u202e"}}]}`, `{"payload":"\u0041\u0041=","signatures":[`, "eyJhIjox+Q==.\x1b.\n", "eyJhIjoiXHUwMDFiIn0.W1tbW1s.",
	} {
		f.Add(seed)
	}
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, raw string) {
		token := dissect(raw)
		var text bytes.Buffer
		if err := newReport(token, style{}, now).writeTo(&text); err != nil {
			t.Fatal(err)
		}
		object, err := encodeJSON(newInspection(token, now))
		if err != nil {
			t.Fatal(err)
		}
		object = printableJSON(object)
		if !json.Valid(object) {
			t.Errorf("not JSON: %q", object)
		}
		for _, out := range []string{text.String(), string(object)} {
			if i := strings.IndexFunc(out, steers); i >= 0 || !utf8.ValidString(out) {
				t.Errorf("the output could steer a terminal at byte %d: %q", i, out)
			}
		}
		if !strings.HasSuffix(text.String(), notChecked+"\n") {
			t.Errorf("the report doesn't end with the warning: %q", text.String())
		}
		for _, p := range token.problems {
			if p.Position < 0 || p.Position > len(raw) {
				t.Errorf("position %d in a token of %d bytes", p.Position, len(raw))
			}
		}
	})
}

// steers reports characters that move the cursor or reorder text.
func steers(r rune) bool {
	return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
