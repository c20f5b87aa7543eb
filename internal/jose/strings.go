package jose

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Strings are read eight bytes at a time. Each constant has one value in every byte of such a word.
const (
	ones        = 0x0101010101010101
	highBits    = 0x80 * ones
	spaces      = ' ' * ones
	backslashes = '\\' * ones
)

// wordAt returns the eight bytes at i, the first one lowest.
func wordAt(data []byte, i int) uint64 { return binary.LittleEndian.Uint64(data[i : i+8 : i+8]) }

// unusual marks, by the high bit, the first byte of word that is not plain ASCII inside a string: a control character,
// a quote, a backslash, or a part of a longer character. Bytes after the first may be marked wrongly: a subtraction
// borrows from the next byte, but only after it has marked its own.
func unusual(word uint64) uint64 {
	controlOrQuote := (word ^ 2*ones) - 0x21*ones // flipping bit 1 puts the quote, 0x22, just above the controls
	backslash := (word ^ backslashes) - ones
	return (controlOrQuote | backslash | word) & highBits
}

// upToFirst covers the bytes of a word up to the first one marked, which it includes.
func upToFirst(marks uint64) uint64 { return marks ^ (marks - 1) }

// plainEnd returns where the plain ASCII of a string ends that begins at i: at a quote, at something unusual, or among
// the last seven bytes of the text, which it leaves to others.
func plainEnd(data []byte, i int) int {
	for ; i >= 0 && i <= len(data)-8; i += 8 {
		if marks := unusual(wordAt(data, i)); marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	return i
}

// scanString reads the string whose opening quote is at i.
func (s *Scanner) scanString(i int) int {
	if i = plainEnd(s.data, i+1); s.peek(i) == '"' {
		return i + 1
	}
	return s.scanUnusualString(i)
}

// scanUnusualString reads the rest of a string character by character.
func (s *Scanner) scanUnusualString(i int) int {
	for i >= 0 {
		switch c := s.peek(i); {
		case c == '"':
			return i + 1
		case c < ' ':
			return s.fail(i, "control character in a string")
		case c == '\\':
			s.escape = i
			i = s.scanEscape(i)
		case c >= utf8.RuneSelf:
			i = s.scanRune(i)
		default:
			i++
		}
	}
	return -1
}

// scanRune reads a character that is not ASCII (RFC 3629).
func (s *Scanner) scanRune(i int) int {
	r, size := utf8.DecodeRune(s.data[i:])
	if r == utf8.RuneError && size == 1 {
		return s.fail(i, "invalid UTF-8")
	}
	return i + size
}

// scanEscape reads an escape, or two that make a surrogate pair (RFC 8259 §7).
func (s *Scanner) scanEscape(i int) int {
	if i+1 >= len(s.data) {
		return s.fail(len(s.data), "")
	}
	switch s.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		return s.scanUnicodeEscape(i)
	}
	return s.fail(i, "unknown escape")
}

func (s *Scanner) scanUnicodeEscape(i int) int {
	unit := escapedUnit(s.data[i:])
	switch {
	case unit < 0:
		return s.fail(i, "malformed \\u escape")
	case !utf16.IsSurrogate(unit):
		return i + 6
	case utf16.DecodeRune(unit, escapedUnit(s.data[i+6:])) == utf8.RuneError:
		return s.fail(i, "half of a surrogate pair")
	}
	return i + 12
}

// escapedUnit returns the UTF-16 code unit that the \u escape at the beginning of text stands for, or -1.
func escapedUnit(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	unit := rune(0)
	for _, c := range text[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		unit = unit<<4 | rune(c)
	}
	return unit
}

// unescaped returns what a validated string's text stands for. It's called rarely: inlined, it would crowd the code
// around it.
//
//go:noinline
func unescaped(text []byte) []byte { return appendUnescaped(nil, text) }

// appendUnescaped appends what a validated string's text stands for.
func appendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			dst = append(dst, text[i])
			i++
			continue
		}
		r, size := unescape(text[i:])
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return dst
}

// unescape returns the character that the escape at the beginning of a validated text stands for, and its length.
func unescape(text []byte) (r rune, size int) {
	switch c := text[1]; c {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		unit := escapedUnit(text)
		if utf16.IsSurrogate(unit) {
			return utf16.DecodeRune(unit, escapedUnit(text[6:])), 12
		}
		return unit, 6
	default:
		return rune(c), 2
	}
}
