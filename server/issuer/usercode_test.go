package issuer

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzParseUserCode: whatever a person types, what is looked for is a code as devices show them, and it's the same one
// when it's typed off the page.
func FuzzParseUserCode(f *testing.F) {
	for _, seed := range []string{"WDJB-MJHT", "wdjb mjht", "W.D.J.B.M.J.H.T", "WDJB‑MJHT", "WDJBMJH", "WDJBMJHTX", "WDJB-MJHA", "ſſſſſſſſ", "\xff", "ﬅﬅﬅﬅ"} {
		f.Add(seed)
	}
	shown := regexp.MustCompile(`^[` + userCodeAlphabet + `]{4}-[` + userCodeAlphabet + `]{4}$`)
	f.Fuzz(func(t *testing.T, text string) {
		code, err := ParseUserCode(text)
		if err != nil {
			if code != "" || err != ErrUserCode {
				t.Errorf("%q: %q beside %v", text, code, err)
			}
			return
		}
		if !shown.MatchString(code) {
			t.Errorf("%q is %q", text, code)
		}
		for _, again := range []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + code + " "} {
			if same, err := ParseUserCode(again); err != nil || same != code {
				t.Errorf("%q is %q, and %q is %q, %v", text, code, again, same, err)
			}
		}
	})
}
