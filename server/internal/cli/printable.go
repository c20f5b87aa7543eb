package cli

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable escapes everything in a text that could steer a terminal or reorder what it shows: control
// characters, line ends, bidirectional and other invisible format characters, bytes that aren't UTF-8.
func printable(text string) string { return escape(text, "") }

// printableJSON does the same for a JSON text, with line feeds kept. Such characters can only stand in
// its strings, where \u escapes mean the same.
func printableJSON(text []byte) []byte { return []byte(escape(string(text), "\n")) }

// blankLetters are letters for Unicode, and nothing for the eye: Hangul fillers and the blank of Braille.
const blankLetters = "\u115f\u1160\u2800\u3164\uffa0"

func escape(text, keep string) string {
	var out strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&out, `\x%02x`, text[i])
		case unicode.IsPrint(r) && !strings.ContainsRune(blankLetters, r) || strings.ContainsRune(keep, r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// shortened is a text cut to at most limit characters.
func shortened(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit]) + fmt.Sprintf("… (%d more)", len(runes)-limit)
}
