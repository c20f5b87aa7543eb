package jose

import (
	"math/bits"
	"unicode"
	"unicode/utf8"
)

// Two names are fold-equal if their characters are the same under simple case folding (unicode.SimpleFold), as in
// strings.EqualFold: encoding/json takes such names for the same struct field.

// appendFold appends the folded form of a validated string's text to dst: escapes resolved, and every character
// replaced by the smallest one that folds with it. Two texts are fold-equal if their folded forms are equal.
func appendFold(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		r, size := rune(c), 1
		switch {
		case c == '\\':
			r, size = unescape(text[i:])
		case c >= utf8.RuneSelf:
			r, size = utf8.DecodeRune(text[i:])
		}
		dst = utf8.AppendRune(dst, foldRune(r))
		i += size
	}
	return dst
}

// foldRune returns the smallest character that folds with r.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next // the orbit has come round to its smallest
		}
		r = next
	}
}

// folded returns the folded form of a validated string's text.
func folded(text []byte) string {
	var buffer [64]byte
	return string(appendFold(buffer[:0], text))
}

// foldHash returns a hash of a validated string's text that is the same for all fold-equal texts. It hashes the folded
// form and a closing quote, eight bytes at a time, in lower case as far as they are ASCII.
func foldHash(text []byte) (hash uint64) {
	var buffer [64]byte
	rest := append(appendFold(buffer[:0], text), '"')
	for ; len(rest) >= 8; rest = rest[8:] {
		hash = mix(hash, wordAt(rest, 0)|spaces)
	}
	if len(rest) > 0 {
		var last [8]byte
		copy(last[:], rest)
		hash = mix(hash, (wordAt(last[:], 0)|spaces)&(1<<(8*len(rest))-1))
	}
	return hash
}

// mix makes hash depend on eight more bytes. Its high bits are the good ones.
func mix(hash, word uint64) uint64 {
	return (bits.RotateLeft64(hash, 23) ^ word) * 0x9e3779b97f4a7c15
}
