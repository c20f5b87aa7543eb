package accounts

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	minName      = 3
	maxName      = 64   // characters
	maxNameBytes = 1024 // as it was typed, invisible characters included
)

// name is the name of an account.
type name struct {
	canonical string // as it is stored and compared
	display   string // as its owner writes it
}

// parseName reads a name. Names are compared by the profile UsernameCaseMapped of RFC 8265 §3.3: without regard to
// case, to the width of letters as some keyboards type them, and to how accents are encoded; and without the invisible
// characters that pasting brings along, and dots on letters that have one. What an ASCII name was compared by, its
// lower case, is its canonical form still.
//
// A name is 3 to 64 letters, digits and . _ - + @, and begins and ends with a letter or digit, which suits user names
// and e-mail addresses. Its letters are of one script, and don't all look like Latin ones of another: so no name passes
// for somebody else's. Anything else is an *issuer.InputError.
func parseName(text string) (name, error) {
	if len(text) > maxNameBytes {
		return name{}, errNameLength
	}
	text = visible(text) // in which U+FFFD stands for what is no UTF-8, and no name has it
	canonical, err1 := precis.UsernameCaseMapped.String(text)
	display, err2 := precis.UsernameCasePreserved.String(text)
	canonical = alike(canonical)
	if n := utf8.RuneCountInString(canonical); n < minName || n > maxName {
		if err1 != nil && utf8.RuneCountInString(text) >= minName && utf8.RuneCountInString(text) <= maxName {
			return name{}, errNameCharacters
		}
		return name{}, errNameLength
	}
	if err1 != nil || err2 != nil {
		return name{}, errNameCharacters
	}
	if err := checkNameCharacters(canonical); err != nil {
		return name{}, err
	}
	return name{canonical, display}, nil
}

var (
	errNameLength     = &issuer.InputError{Field: "username", Reason: "must be 3 to 64 characters long"}
	errNameCharacters = &issuer.InputError{Field: "username", Reason: "may contain only letters, digits and . _ - + @"}
	errNameEnds       = &issuer.InputError{Field: "username", Reason: "must begin and end with a letter or digit"}
	errNameScript     = &issuer.InputError{Field: "username", Reason: "must be written in letters of one script that don't pass for those of another"}
)

// checkNameCharacters judges a canonical name.
func checkNameCharacters(canonical string) error {
	for _, r := range canonical {
		if !isNameRune(r) {
			return errNameCharacters
		}
	}
	first, _ := utf8.DecodeRuneInString(canonical)
	last, _ := utf8.DecodeLastRuneInString(canonical)
	if !isAlphanumeric(first) || !isAlphanumeric(last) && !unicode.Is(unicode.M, last) {
		return errNameEnds
	}
	if !oneScript(canonical) {
		return errNameScript
	}
	return nil
}

func isNameRune(r rune) bool {
	return isAlphanumeric(r) || unicode.Is(unicode.M, r) || strings.ContainsRune("._-+@", r)
}

// isAlphanumeric takes no other digits than 0 to 9: those of other scripts pass for them, and for letters.
func isAlphanumeric(r rune) bool { return unicode.IsLetter(r) || '0' <= r && r <= '9' }

// Shown is the name of an account as its owner writes it; accounts of before have no other than the canonical one.
func (a Account) Shown() string { return cmp.Or(a.Display, a.Name) }

// visible leaves out the characters that show nothing: names that differ in nothing else look the same. Those that turn
// the direction of writing stay, and no name may have them.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.Is(unicode.Bidi_Control, r) && unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return -1
		}
		return r
	}, text)
}

// alike makes one of what lower case leaves apart: sigma has another form at the end of a word, and the same capital.
// It leaves out dots above letters that have one of their own, such as i: nobody sees them. The small letter of İ is an
// i with such a dot.
func alike(lower string) string {
	dotted := false
	return norm.NFC.String(strings.Map(func(r rune) rune {
		switch {
		case r == 'ς':
			r = 'σ'
		case dotted && r == '\u0307':
			return -1
		}
		dotted = unicode.Is(unicode.Soft_Dotted, r)
		return r
	}, lower))
}

// foldName brings the beginning of a name into the form in which names are compared, as far as a part of one can be.
func foldName(prefix string) string {
	return alike(norm.NFC.String(cases.Lower(language.Und).String(width.Fold.String(visible(prefix)))))
}
