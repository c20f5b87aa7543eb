package jose

import (
	"bytes"
	"math/bits"
)

// scanNumber reads a number of any size (RFC 8259 §6).
func (s *Scanner) scanNumber(i int) int {
	if s.peek(i) == '-' {
		i++
	}
	start := i
	if i = s.scanDigits(i); i > start+1 && s.data[start] == '0' {
		return start + 1 // what follows the zero is not part of the number
	}
	if c := s.peek(i); c == '.' || c == 'e' || c == 'E' {
		return s.scanFraction(i)
	}
	return i
}

// scanFraction reads the fraction and the exponent of a number, or one of them.
func (s *Scanner) scanFraction(i int) int {
	if s.data[i] == '.' {
		i = s.scanDigits(i + 1)
	}
	if c := s.peek(i); c != 'e' && c != 'E' {
		return i
	}
	if c := s.peek(i + 1); c == '+' || c == '-' {
		i++
	}
	return s.scanDigits(i + 1)
}

// scanDigits reads one digit or more.
func (s *Scanner) scanDigits(i int) int {
	end := digitsEnd(s.data, i)
	for isDigit(s.peek(end)) {
		end++ // among the last seven bytes of the text
	}
	if end == i {
		return s.fail(i, "expected a digit")
	}
	return end
}

// digitsEnd returns where the digits end that begin at i, or a place among the last seven bytes of the text.
func digitsEnd(data []byte, i int) int {
	for ; i >= 0 && i <= len(data)-8; i += 8 {
		if marks := notDigits(wordAt(data, i)); marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	return i
}

// notDigits marks, by the high bit, the first byte of word that is not a digit, and perhaps others after it.
func notDigits(word uint64) uint64 {
	return ((word - '0'*ones) | (word + (0x80-'9'-1)*ones) | word) & highBits
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Uint returns a Number that is spelled as a non-negative integer, without sign, fraction or exponent. ok is false for
// anything else, and for a number above 1<<64 - 1.
func (v Value) Uint() (n uint64, ok bool) {
	rest := v.Raw()
	if len(rest) > maxSafeDigits {
		return largeUint(rest)
	}
	for ; len(rest) >= 8; rest = rest[8:] {
		word := wordAt(rest, 0)
		if notDigits(word) != 0 {
			return 0, false
		}
		n = n*1e8 + eightDigits(word)
	}
	for _, c := range rest {
		if !isDigit(c) {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, v.kind == Number
}

// eightDigits returns the number that a word of digits spells: neighbours are joined to numbers of two, four and eight
// digits.
func eightDigits(word uint64) uint64 {
	word -= '0' * ones
	word = (word*10 + word>>8) & 0x00ff00ff00ff00ff
	word = (word*100 + word>>16) & 0x0000ffff0000ffff
	return (word*10000 + word>>32) & 0xffffffff
}

// maxSafeDigits is how many digits can't overflow 64 bits.
const maxSafeDigits = 19

func largeUint(digits []byte) (n uint64, ok bool) {
	for _, c := range digits {
		if !isDigit(c) || n > (1<<64-1)/10 {
			return 0, false
		}
		digit := uint64(c - '0')
		if n = 10*n + digit; n < digit {
			return 0, false
		}
	}
	return n, true
}

// EndOfSeconds is the first second that Seconds refuses: the year 10000, which RFC 3339 and many clocks can't express.
const EndOfSeconds = 253402300800

const maxSecondsDigits = 12

// Seconds returns a Number as a time in seconds since 1970 (NumericDate, RFC 7519 §2), rounded down to whole
// nanoseconds. It is exact for every spelling, with fraction and exponent too. ok is false for anything else than a
// Number, for a time before 1970, and for one after the year 9999.
func (v Value) Seconds() (sec int64, nsec int32, ok bool) {
	if n, ok := v.Uint(); ok {
		return int64(n), 0, n < EndOfSeconds
	}
	return v.exactSeconds()
}

// exactSeconds is Seconds for a Number of any spelling.
func (v Value) exactSeconds() (sec int64, nsec int32, ok bool) {
	if v.kind != Number {
		return 0, 0, false
	}
	d := parseDecimal(v.Raw())
	first := d.firstDigit()
	if first == d.len() {
		return 0, 0, true
	}
	if d.negative || d.point-first > maxSecondsDigits {
		return 0, 0, false
	}
	for i := first; i < d.point; i++ {
		sec = 10*sec + int64(d.digit(i))
	}
	for i := range int64(9) {
		nsec = 10*nsec + int32(d.digit(d.point+i))
	}
	return sec, nsec, sec < EndOfSeconds
}

// A decimal is a number as it is spelled: digits, and how many of them stand before the decimal point once the exponent
// has moved it.
type decimal struct {
	negative        bool
	whole, fraction []byte
	point           int64
}

// parseDecimal takes a validated number apart.
func parseDecimal(raw []byte) (d decimal) {
	raw, d.negative = bytes.CutPrefix(raw, []byte("-"))
	exponent := int64(0)
	if e := bytes.IndexAny(raw, "eE"); e >= 0 {
		exponent = parseExponent(raw[e+1:])
		raw = raw[:e]
	}
	d.whole, d.fraction, _ = bytes.Cut(raw, []byte("."))
	d.point = int64(len(d.whole)) + exponent
	return d
}

// parseExponent returns a validated exponent, or one farther from zero than any text is long.
func parseExponent(raw []byte) (exponent int64) {
	sign := int64(1)
	switch raw[0] {
	case '-':
		sign, raw = -1, raw[1:]
	case '+':
		raw = raw[1:]
	}
	for _, c := range raw {
		exponent = min(10*exponent+int64(c-'0'), 1<<40)
	}
	return sign * exponent
}

func (d *decimal) len() int64 { return int64(len(d.whole) + len(d.fraction)) }

// digit returns the digit i, counted from the first that is spelled: zero before and after those.
func (d *decimal) digit(i int64) byte {
	switch whole := int64(len(d.whole)); {
	case i < 0 || i >= d.len():
		return 0
	case i < whole:
		return d.whole[i] - '0'
	default:
		return d.fraction[i-whole] - '0'
	}
}

// firstDigit returns the index of the first digit that isn't zero, or len if there is none.
func (d *decimal) firstDigit() (i int64) {
	for i < d.len() && d.digit(i) == 0 {
		i++
	}
	return i
}
