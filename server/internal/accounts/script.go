package accounts

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// families are the scripts that one writing system uses together (UTS 39 §5.1, augmented script sets). Every other
// script is a family of its own.
var families = [][]*unicode.RangeTable{
	{unicode.Han, unicode.Hiragana, unicode.Katakana},
	{unicode.Han, unicode.Hangul},
	{unicode.Han, unicode.Bopomofo},
}

// plainLatin are the letters of languages that are written in Latin ones, without the phonetic ones, of which many pass
// for others.
var plainLatin = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 'a', Hi: 'z', Stride: 1}, {Lo: 0x00AA, Hi: 0x00AA, Stride: 1}, {Lo: 0x00BA, Hi: 0x00BA, Stride: 1},
	{Lo: 0x00DF, Hi: 0x024F, Stride: 1}, {Lo: 0x1E00, Hi: 0x1EFF, Stride: 1},
}}

// oddLatin are those of them that pass for b, s, p, l or a sign: tones of old Zhuang, an old w, and clicks.
const oddLatin = "ƅƨƽƿǀǁǂǃ"

// likeLatin are the small letters of other scripts that pass for Latin ones: a name of nothing else passes for a Latin
// name.
const likeLatin = "асԁеһіјӏкорԛѕԝхуүьԍɡ" + "αικνορυωγ" + "օսոհցազյ"

// oneScript reports whether all letters of a canonical name belong to one writing system, and whether it shows.
func oneScript(canonical string) bool {
	letters := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Common, unicode.Inherited) { // digits and signs, too
			return -1
		}
		return r
	}, canonical)
	first, _ := utf8.DecodeRuneInString(letters)
	switch {
	case letters == "":
		return true
	case unicode.Is(unicode.Latin, first):
		return within(letters, plainLatin) && !strings.ContainsAny(letters, oddLatin)
	case strings.Trim(letters, likeLatin) == "":
		return false
	}
	for _, family := range families {
		if within(letters, family...) {
			return true
		}
	}
	return within(letters, scriptOf(first))
}

func within(letters string, tables ...*unicode.RangeTable) bool {
	return !strings.ContainsFunc(letters, func(r rune) bool { return !unicode.In(r, tables...) })
}

// scriptOf is the script of a letter, which has one.
func scriptOf(r rune) *unicode.RangeTable {
	for _, script := range unicode.Scripts {
		if unicode.Is(script, r) {
			return script
		}
	}
	return new(unicode.RangeTable)
}
