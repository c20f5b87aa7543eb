package accounts

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/jot-auth/jot/server/issuer"
)

// TestNamesAreComparedCanonically: case, width, the encoding of accents and what shows nothing make no difference.
func TestNamesAreComparedCanonically(t *testing.T) {
	for text, want := range map[string]name{
		"ada":                        {"ada", "ada"},
		"Ada.Lovelace@Example.com":   {"ada.lovelace@example.com", "Ada.Lovelace@Example.com"},
		"ＡｄＡ９":                       {"ada9", "AdA9"},
		"a\u200bd\u00ada\ufeff":      {"ada", "ada"},
		"a\u2060da\ufe0f":            {"ada", "ada"},
		"Jose\u0301":                 {"josé", "José"},
		"JOSÉ":                       {"josé", "JOSÉ"},
		"İpek":                       {"ipek", "İpek"},
		"i\u0307pek":                 {"ipek", "i\u0307pek"},
		"admi\u0307\u0307n":          {"admin", "admi\u0307\u0307n"},
		"i\u0307\u0301da":            {"ída", "i\u0307\u0301da"},
		"ȧda":                        {"ȧda", "ȧda"},
		"q\u0307da":                  {"q\u0307da", "q\u0307da"},
		"і\u0307ван":                 {"іван", "і\u0307ван"},
		"Νίκος":                      {"νίκοσ", "Νίκος"},
		"ΝΊΚΟΣ":                      {"νίκοσ", "ΝΊΚΟΣ"},
		"Straße":                     {"straße", "Straße"},
		"Иван.Петров":                {"иван.петров", "Иван.Петров"},
		"山田太郎":                       {"山田太郎", "山田太郎"},
		"やまだ太郎":                      {"やまだ太郎", "やまだ太郎"},
		"नमस्ते":                     {"नमस्ते", "नमस्ते"},
		strings.Repeat("ü", maxName): {strings.Repeat("ü", maxName), strings.Repeat("ü", maxName)},
	} {
		if got, err := parseName(text); err != nil || got != want {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}

// TestNamesThatPassForOthers: of another script in part, or in letters that look like Latin ones.
func TestNamesThatPassForOthers(t *testing.T) {
	for _, text := range []string{
		"аda", "adа", "раурal", "аса", "οικονα", "асе", "αda", "ɑda", "ad\u0430m", "ada\u0661", "ad①", "ﬁnn", "a\u2024da", "ada\u00a0b", "ada\u3000b", "a\u0000da", "ada\xff",
		"\u202eada", "a\u2066da", "日本ada", "한국カナ", "aǀice", "ƅob", "ƽam", "ƿaul", "adaǃ", "\u0301ada", "שada", ".ada", "ada-", "\u200bad", strings.Repeat("a", maxName+1), strings.Repeat("\u200b", 500) + "ada", "ada/b", "ada:b", "ada<b", "ada b", "😀😀😀",
	} {
		var input *issuer.InputError
		if got, err := parseName(text); !errors.As(err, &input) || input.Field != "username" {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
}

// TestCanonicalNames: a canonical name is its own canonical form, a display form has the same, and what was a name when
// only ASCII was is compared as it was then.
func TestCanonicalNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkCanonical(t, rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-zÀ-ſ\x{300}-\x{30A}А-яіјΑ-ωＡ-ｚ0-9._+@-]{3,20}`)).Draw(t, "text"))
	})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._+@-]{1,62}[A-Za-z0-9]`).Draw(t, "text")
		if got, err := parseName(text); err != nil || got.canonical != strings.ToLower(text) || got.display != text {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	})
}

// checkCanonical holds a text against what is true of every name.
func checkCanonical(t interface{ Errorf(string, ...any) }, text string) {
	got, err := parseName(text)
	if err != nil {
		if got != (name{}) || !errors.As(err, new(*issuer.InputError)) {
			t.Errorf("%q is %q, %v", text, got, err)
		}
		return
	}
	for _, again := range []string{got.canonical, got.display} {
		if other, err := parseName(again); err != nil || other.canonical != got.canonical {
			t.Errorf("%q is %q, and %q is %q, %v", text, got, again, other, err)
		}
	}
	if !utf8.ValidString(got.display) || !strings.HasPrefix(got.canonical, foldName(got.display)) {
		t.Errorf("%q is shown as %q and searched as %q", text, got.display, foldName(got.display))
	}
	if strings.ContainsFunc(got.display, unicode.IsControl) || utf8.RuneCountInString(got.display) > maxNameBytes {
		t.Errorf("%q is shown as %q", text, got.display)
	}
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"ada", "ＡｄＡ９", "Jose\u0301", "İpek", "a\u200bd\u00ada\ufeff", "ǅoko", "ﬁn", "Ὀδυσσεύς", "ﾊﾞﾅﾅ", "각하", "e\u0327\u0301e", "Ⅷab", "ada\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkCanonical(t, text) })
}
