package passkeytest

import (
	"encoding/binary"
	"fmt"
)

// pairs are a map in the order in which it's written.
type pairs [][2]any

// cbor writes the few types that authenticators need (RFC 8949 §3.1).
func cbor(value any) []byte {
	switch v := value.(type) {
	case int:
		if v < 0 {
			return head(1, uint64(-1-v))
		}
		return head(0, uint64(v))
	case []byte:
		return append(head(2, uint64(len(v))), v...)
	case string:
		return append(head(3, uint64(len(v))), v...)
	case pairs:
		b := head(5, uint64(len(v)))
		for _, pair := range v {
			b = append(append(b, cbor(pair[0])...), cbor(pair[1])...)
		}
		return b
	}
	panic(fmt.Sprintf("passkeytest: %T in CBOR", value))
}

// head is a major type with its argument.
func head(major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return []byte{major | byte(n)}
	case n < 1<<8:
		return []byte{major | 24, byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(n))
	}
	return binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(n))
}
