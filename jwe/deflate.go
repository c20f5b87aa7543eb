package jwe

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
)

// maxInflated bounds content that is written as DEFLATE, in bytes: a short message could stand for gigabytes (RFC 8725
// §3.6).
const maxInflated = 250 << 10

// maxDeflated bounds it before it's inflated: DEFLATE adds next to nothing to what it can't shorten (RFC 1951 §3.2.4),
// and blocks that say nothing take time.
const maxDeflated = maxInflated + 1<<10

// deflated returns the content as it's to be encrypted.
func (e *Encrypter) deflated(plaintext []byte) ([]byte, error) {
	if !e.options.Compress {
		return plaintext, nil
	}
	if len(plaintext) > maxInflated {
		return nil, fmt.Errorf("jwe: content to be compressed has at most %d bytes: encrypt this without Compress", maxInflated)
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("jwe: compressing: %w", err)
	}
	w.Write(plaintext) // a bytes.Buffer takes everything
	w.Close()
	return out.Bytes(), nil
}

// inflate undoes DEFLATE (RFC 1951), and demands that nothing follows.
func inflate(data []byte) ([]byte, error) {
	if len(data) > maxDeflated {
		return nil, ErrDecryption
	}
	in := bytes.NewReader(data) // a ByteReader: flate reads no further than the end
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(in), maxInflated+1))
	if err != nil || len(out) > maxInflated || in.Len() > 0 {
		return nil, ErrDecryption
	}
	return out, nil
}
