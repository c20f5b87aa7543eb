package jot

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

// rawFromDER turns the ASN.1 that a crypto.Signer returns into r‖s. ok is false for anything else.
func rawFromDER(der []byte, scalarSize int) (raw []byte, ok bool) {
	content, ok := derSequence(der)
	if !ok {
		return nil, false
	}
	raw = make([]byte, 2*scalarSize)
	rest, ok := readDERInteger(raw[:scalarSize], content)
	if !ok {
		return nil, false
	}
	rest, ok = readDERInteger(raw[scalarSize:], rest)
	return raw, ok && len(rest) == 0
}

func derSequence(der []byte) (content []byte, ok bool) {
	if len(der) > 3 && der[0] == 0x30 && der[1] == 0x81 {
		return der[3:], int(der[2]) == len(der)-3 && der[2] > shortForm
	}
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return nil, false
	}
	return der[2:], true
}

// readDERInteger writes the next INTEGER right-aligned into scalar and returns what follows it.
func readDERInteger(scalar, der []byte) (rest []byte, ok bool) {
	if len(der) < 2 || der[0] != 0x02 || int(der[1]) > len(der)-2 || der[1] == 0 {
		return nil, false
	}
	value, rest := der[2:2+der[1]], der[2+der[1]:]
	value = withoutZeros(value)
	if len(value) > len(scalar) {
		return nil, false
	}
	copy(scalar[len(scalar)-len(value):], value)
	return rest, true
}
