package jot_test

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"github.com/jot-auth/jot"
)

// integer is a DER INTEGER of these bytes, well-formed or not.
func integer(content ...byte) []byte { return append([]byte{2, byte(len(content))}, content...) }

// sequence is a DER SEQUENCE, its length in one byte or two.
func sequence(contents ...[]byte) []byte {
	content := slices.Concat(contents...)
	if len(content) < 128 {
		return append([]byte{0x30, byte(len(content))}, content...)
	}
	return append([]byte{0x30, 0x81, byte(len(content))}, content...)
}

func TestRawFromDER(t *testing.T) {
	large := bytes.Repeat([]byte{0x7f}, 66)
	for _, test := range []struct {
		name string
		der  []byte
		size int
		want []byte
	}{
		{"small numbers", sequence(integer(1), integer(2)), 4, []byte{0, 1, 0, 2}},
		{"a high bit", sequence(integer(0, 0x80), integer(0x7f)), 4, []byte{0, 0x80, 0, 0x7f}},
		{"full size", sequence(integer(0x7f, 1), integer(0, 0xff, 1)), 4, []byte{0x7f, 1, 0xff, 1}},
		{"zero", sequence(integer(0), integer(0)), 4, []byte{0, 0, 0, 0}},
		{"a length of two bytes", sequence(integer(large...), integer(large...)), 132, slices.Concat(large, large)},

		{"nothing", nil, 4, nil},
		{"a tag", []byte{0x30}, 4, nil},
		{"a tag and a length", []byte{0x30, 0x81}, 4, nil},
		{"an empty sequence", sequence(), 4, nil},
		{"one number", sequence(integer(1)), 4, nil},
		{"half a number more", sequence(integer(1), []byte{2}), 4, nil},
		{"a number without content", sequence(integer(), integer(1)), 4, nil},
		{"another without content", sequence(integer(1), integer()), 4, nil},
		{"three numbers", sequence(integer(1), integer(2), integer(3)), 4, nil},
		{"bytes behind", append(sequence(integer(1), integer(2)), 0), 4, nil},
		{"cut", sequence(integer(1), integer(2))[:7], 4, nil},
		{"a length beyond the end", []byte{0x30, 6, 2, 1, 1, 2, 9, 2}, 4, nil},
		{"a length near a byte's end", append([]byte{0x30, 6, 2, 255}, make([]byte, 300)...), 4, nil},
		{"no sequence", append([]byte{0x31}, sequence(integer(1), integer(2))[1:]...), 4, nil},
		{"no numbers", sequence([]byte{3, 1, 1}, integer(2)), 4, nil},
		{"a second that is no number", sequence(integer(1), []byte{3, 1, 2}), 4, nil},
		{"a wrong length of all", []byte{0x30, 7, 2, 1, 1, 2, 1, 2}, 4, nil},
		{"two bytes for a short length", []byte{0x30, 0x81, 6, 2, 1, 1, 2, 1, 2}, 4, nil},
		{"three bytes for a length", []byte{0x30, 0x82, 0, 6, 2, 1, 1, 2, 1, 2}, 4, nil},
		{"a leading zero", sequence(integer(0, 1), integer(2)), 4, nil},
		{"a negative number", sequence(integer(0x80), integer(2)), 4, nil},
		{"too large a number", sequence(integer(1, 2, 3), integer(2)), 4, nil},
		{"too large a second", sequence(integer(1), integer(1, 2, 3)), 4, nil},
	} {
		raw, ok := jot.RawFromDERForTest(test.der, test.size)
		if ok != (test.want != nil) || ok && !bytes.Equal(raw, test.want) {
			t.Errorf("%s: %x, %t", test.name, raw, ok)
		}
	}
}

// What is taken from a signer's answer is what encoding/asn1 reads, and nothing else that it would write the same way
// is refused.
func FuzzRawFromDER(f *testing.F) {
	for _, der := range [][]byte{sequence(integer(1), integer(2)), sequence(integer(0, 0x80), integer(0x7f)), sequence(integer(0, 1), integer(2)), {0x30, 6, 2, 255}} {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		const size = 64
		raw, ok := jot.RawFromDERForTest(der, size)
		var read struct{ R, S *big.Int }
		rest, err := asn1.Unmarshal(der, &read)
		fits := err == nil && len(rest) == 0 && read.R.Sign() >= 0 && read.S.Sign() >= 0 && read.R.BitLen() <= 8*size/2 && read.S.BitLen() <= 8*size/2
		if again, err := asn1.Marshal(read); !fits || err != nil || !bytes.Equal(again, der) {
			if ok {
				t.Fatalf("%x is taken for %x", der, raw)
			}
			return
		}
		if want := slices.Concat(read.R.FillBytes(make([]byte, size/2)), read.S.FillBytes(make([]byte, size/2))); !ok || !bytes.Equal(raw, want) {
			t.Fatalf("%x is read as %x, %t, not %x", der, raw, ok, want)
		}
	})
}
