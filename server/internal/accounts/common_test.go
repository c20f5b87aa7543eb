package accounts

import (
	"errors"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// TestCommonPasswords holds what is guessed first apart from what isn't.
func TestCommonPasswords(t *testing.T) {
	own := []string{"ada.lovelace", "ada@analytical-engine.example"}
	for _, refused := range []string{
		"passwordpassword", "Password12345", "P@ssw0rd1234", "p4ssw0rd!!!!", "passwort2026!", "password1234",
		"123456789012", "12345678901234567890", "098765432109", "111111111111", "112233445566", "123123123123", "123454321234",
		"abcdefghijkl", "zyxwvutsrqponm", "aaaaaaaaaaaab", "abcabcabcabc", "a1b2a1b2a1b2a1b2",
		"qwertyuiop123", "1q2w3e4r5t6y", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "zaq1xsw2cde3", "qazwsxedcrfv", "asdfghjkl123", "qweasdzxc123", "zxcvbnm123456789",
		"iloveyou2024", "ILoveYou!!!!!", "Welcome2026!", "Sommer2026!!!", "Summer2026!!!", "letmeinletmein", "adminadmin123", "changeme2026", "football1987!", "liverpool2020", "dragonmonkey1",
		"correcthorsebatterystaple", "jotpasswordjot",
		"ada.lovelace!", "xxada.lovelacexx", "ADA.LOVELACE-1", "ada-lovelace-1", "lovelace2026!", "engine-analytical", "ada@analytical-engine.example",
	} {
		if checkPassword(refused, own...) == nil {
			t.Errorf("%q is let through", refused)
		}
	}
	for _, good := range []string{
		"correct horse battery", "weasel timid oboe lagoon", "kT7#vm2q!Lx9", "9f86d081884c7d65", "mein Hund frisst Kakteen", "пароль от моего дома",
		"a canada goose honks", "hinterland-waffle-77", strings.Repeat("tangerine quarrel ", 20), "482957103648",
	} {
		if err := checkPassword(good, own...); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// TestCommonWords holds the list to the form that is looked up.
func TestCommonWords(t *testing.T) {
	before := ""
	for word := range strings.Lines(commonWords) {
		word = strings.TrimSuffix(word, "\n")
		if word <= before || word != strings.ToLower(word) || len(word) < 2 || len(word) > longestWord || strings.ContainsAny(word, " \t") {
			t.Errorf("%q after %q: words are in lower case, sorted, each once", word, before)
		}
		before = word
	}
}

// TestPasswordReasons: each rule says what it wants, and refuses what no other one does.
func TestPasswordReasons(t *testing.T) {
	for refused, want := range map[string]string{
		strings.Repeat("tangerine quarrel ", 57):  "at most 1024 bytes",
		"weasel timid oboe lagoon \xff":           "valid UTF-8",
		"kT7#vm2q!Lx":                             "at least 12 characters",
		"kT7#vm2q!ADA.lovelace-9f86d081884c7d65":  "the username",
		"9f86-ada@analytical-engine.example-kT7#": "the e-mail address",
		"passwordpassword":                        "too common",
	} {
		var input *issuer.InputError
		if err := checkPassword(refused, "ada.lovelace", "ada@analytical-engine.example"); !errors.As(err, &input) || input.Field != "password" || !strings.Contains(input.Reason, want) {
			t.Errorf("%.40q: %v, want one about %s", refused, err, want)
		}
	}
	if err := checkPassword(strings.Repeat("tangerine quarrel ", 56) + "and so on, yes!!"); err != nil {
		t.Errorf("1024 bytes: %v", err)
	}
}
