package jose

import (
	"encoding/binary"
	"slices"
)

const (
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" // RFC 4648 §5
	foreign  = 1 << 31                                                            // marks a character outside the alphabet
)

// sextets holds, for each of the four places in a group and each character there, the character's six bits where they
// belong in the group's 24, or foreign.
var sextets = func() (table [4][256]uint32) {
	for place := range table {
		for char := range table[place] {
			table[place][char] = foreign
		}
		for bits, char := range alphabet {
			table[place][char] = uint32(bits) << (18 - 6*place)
		}
	}
	return table
}()

// AppendDecode appends the bytes that src encodes in base64url (RFC 4648 §5) to dst. It accepts exactly one spelling of
// each byte string, the one that an encoder writes: the alphabet only, no padding, no line breaks or spaces, unused bits
// zero. Otherwise it returns dst as it came and a *SyntaxError.
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

// decodeBlocks decodes eight characters at a time into six bytes, as long as out has room to write eight. It returns
// the number of characters it read.
func decodeBlocks(out []byte, src string) (read int, ok bool) {
	seen := uint32(0)
	for at := 0; read <= len(src)-8 && at <= len(out)-8; at += 6 {
		in := src[read : read+8]
		high := sextets[0][in[0]] | sextets[1][in[1]] | sextets[2][in[2]] | sextets[3][in[3]]
		low := sextets[0][in[4]] | sextets[1][in[5]] | sextets[2][in[6]] | sextets[3][in[7]]
		seen |= high | low
		binary.BigEndian.PutUint64(out[at:at+8], uint64(high)<<40|uint64(low)<<16)
		read += 8
	}
	return read, seen < foreign
}

// decodeTail decodes what decodeBlocks left, a character at a time.
func decodeTail(out []byte, src string) bool {
	pending, bits := uint32(0), 0
	for i := 0; i < len(src); i++ {
		sextet := sextets[3][src[i]]
		if sextet == foreign {
			return false
		}
		pending, bits = pending<<6|sextet, bits+6
		if bits >= 8 {
			bits -= 8
			out[0], out = byte(pending>>bits), out[1:]
		}
	}
	return bits < 6 && pending&(1<<bits-1) == 0
}

// decodeError finds out why src is not base64url.
func decodeError(src string) *SyntaxError {
	for i := 0; i < len(src); i++ {
		if sextets[3][src[i]] == foreign {
			return &SyntaxError{i, "character outside the base64url alphabet"}
		}
	}
	if len(src)%4 == 1 {
		return &SyntaxError{len(src), "base64url text ends early"}
	}
	return &SyntaxError{len(src) - 1, "last base64url character has bits set that encode nothing"}
}
