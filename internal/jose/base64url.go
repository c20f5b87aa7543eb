package jose

import (
	"encoding/binary"
	"slices"
	"strings"
)

const (
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" // RFC 4648 §5
	foreign  = 1 << 15                                                            // marks two characters that are not both of the alphabet
)

// sextets holds the twelve bits that two characters encode, or foreign. The first character is the lower byte of the
// index. Of its 128 KiB, texts of the alphabet touch 12.
var sextets = func() *[1 << 16]uint16 {
	table := new([1 << 16]uint16)
	for i := range table {
		table[i] = foreign
	}
	for high, first := range alphabet {
		for low, second := range alphabet {
			table[first|second<<8] = uint16(high<<6 | low)
		}
	}
	return table
}()

// AppendDecode appends the bytes that src encodes in base64url (RFC 4648 §5) to dst. It accepts exactly one spelling of
// each byte string, the one that an encoder writes: the alphabet only, no padding, no line breaks or spaces, unused
// bits zero. Otherwise it returns dst as it came and a *SyntaxError.
func AppendDecode(dst []byte, src string) ([]byte, error) {
	size := len(src) / 4 * 3
	if rest := len(src) % 4; rest > 0 {
		size += rest - 1 // none for a rest of 1, which decodeTail refuses
	}
	dst = slices.Grow(dst, size)
	out := dst[len(dst) : len(dst)+size]

	done, ok := decodeBlocks(out, src)
	if ok {
		ok = decodeTail(out[done/4*3:], src[done:])
	}
	if !ok {
		return dst, decodeError(src)
	}
	return dst[:len(dst)+size], nil
}

// decodeBlocks decodes sixteen characters at a time into twelve bytes, as long as out has room to write fourteen. It
// returns the number of characters it read.
func decodeBlocks(out []byte, src string) (read int, ok bool) {
	table, seen := sextets, uint64(0)
	for at := 0; read <= len(src)-16 && at <= len(out)-14; at += 12 {
		in, to := src[read:read+16], out[at:at+14:at+14]
		a, b, c, d := uint64(table[pair(in)]), uint64(table[pair(in[2:])]), uint64(table[pair(in[4:])]), uint64(table[pair(in[6:])])
		seen |= a
		seen |= b // one by one, which takes no copies
		seen |= c
		seen |= d
		binary.BigEndian.PutUint64(to, a<<52|b<<40|c<<28|d<<16)
		a, b, c, d = uint64(table[pair(in[8:])]), uint64(table[pair(in[10:])]), uint64(table[pair(in[12:])]), uint64(table[pair(in[14:])])
		seen |= a
		seen |= b
		seen |= c
		seen |= d
		binary.BigEndian.PutUint64(to[6:], a<<52|b<<40|c<<28|d<<16)
		read += 16
	}
	return read, seen < foreign
}

// pair returns the first two characters of text as an index of sextets.
func pair(text string) uint16 { return uint16(text[0]) | uint16(text[1])<<8 }

// decodeTail decodes what decodeBlocks left, four characters at a time.
func decodeTail(out []byte, src string) bool {
	for ; len(src) >= 4; src, out = src[4:], out[3:] {
		high, low := sextets[pair(src)], sextets[pair(src[2:])]
		if high|low >= foreign {
			return false
		}
		out[0], out[1], out[2] = byte(high>>4), byte(high<<4|low>>8), byte(low)
	}
	switch len(src) {
	case 0:
		return true
	case 2:
		bits := sextets[pair(src)]
		out[0] = byte(bits >> 4)
		return bits < foreign && bits&0xf == 0
	case 3:
		high, low := sextets[pair(src)], sextets[uint16(src[2])|'A'<<8] // A stands for zero bits
		out[0], out[1] = byte(high>>4), byte(high<<4|low>>8)
		return high|low < foreign && low&0xff == 0
	}
	return false
}

// decodeError finds out why src is not base64url.
func decodeError(src string) *SyntaxError {
	for i := 0; i < len(src); i++ {
		if strings.IndexByte(alphabet, src[i]) < 0 {
			return &SyntaxError{i, "character outside the base64url alphabet"}
		}
	}
	if len(src)%4 == 1 {
		return &SyntaxError{len(src), "base64url text ends early"}
	}
	return &SyntaxError{len(src) - 1, "last base64url character has bits set that encode nothing"}
}
