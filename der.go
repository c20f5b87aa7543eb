package jot

import "bytes"

// maxDERSize is a SEQUENCE of two INTEGERs of a P-521 scalar each: the SEQUENCE's header has three bytes, an INTEGER's
// two and a sign byte.
const maxDERSize = 3 + 2*(2+1+66)

// shortForm is the longest content whose length DER writes in one byte; this package's longer ones take two.
const shortForm = 127

// derFromRaw turns r‖s (RFC 7518 §3.4) into the ASN.1 that crypto/ecdsa verifies, appending to dst.
func derFromRaw(dst, raw []byte) []byte {
	r, s := raw[:len(raw)/2], raw[len(raw)/2:]
	size := derIntegerSize(r) + derIntegerSize(s)
	if dst = append(dst, 0x30); size > shortForm {
		dst = append(dst, 0x81)
	}
	dst = append(dst, byte(size))
	return appendDERInteger(appendDERInteger(dst, r), s)
}

func derIntegerSize(scalar []byte) int {
	scalar = withoutZeros(scalar)
	return 2 + len(scalar) + int(scalar[0]>>7)
}

// withoutZeros cuts leading zeros, but for the last byte.
func withoutZeros(scalar []byte) []byte {
	for len(scalar) > 1 && scalar[0] == 0 {
		scalar = scalar[1:]
	}
	return scalar
}

func appendDERInteger(dst, scalar []byte) []byte {
	scalar = withoutZeros(scalar)
	if scalar[0] >= 0x80 {
		dst = append(dst, 0x02, byte(len(scalar)+1), 0)
	} else {
		dst = append(dst, 0x02, byte(len(scalar)))
	}
	return append(dst, scalar...)
}

// rawFromDER turns the ASN.1 that a crypto.Signer returns into the r‖s of a signature of this size. ok is false for
// anything else: what was read must be written the same.
func rawFromDER(der []byte, size int) (raw []byte, ok bool) {
	header := 2
	if len(der) > 1 && der[1] > shortForm {
		header = 3
	}
	if len(der) < header {
		return nil, false
	}
	raw = make([]byte, size)
	readDERInteger(raw[size/2:], readDERInteger(raw[:size/2], der[header:]))
	var buffer [maxDERSize]byte
	return raw, bytes.Equal(derFromRaw(buffer[:0], raw), der)
}

// readDERInteger writes the next INTEGER, if that's what it is, right-aligned into scalar and returns what follows it.
func readDERInteger(scalar, der []byte) (rest []byte) {
	if len(der) < 2 || len(der)-2 < int(der[1]) {
		return nil
	}
	value, rest := der[2:2+int(der[1])], der[2+int(der[1]):]
	value = withoutZeros(value)
	if len(value) > len(scalar) {
		return nil
	}
	copy(scalar[len(scalar)-len(value):], value)
	return rest
}
