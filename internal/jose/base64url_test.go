package jose

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func TestAppendDecode(t *testing.T) {
	for size := range 100 {
		plain := make([]byte, size)
		for i := range plain {
			plain[i] = byte(i*37 + size)
		}
		encoded := base64.RawURLEncoding.EncodeToString(plain)
		got, err := AppendDecode([]byte("kept"), encoded)
		if err != nil || string(got) != "kept"+string(plain) {
			t.Errorf("AppendDecode(%q) = %x, %v; want %x", encoded, got, err, plain)
		}
	}
}

func TestAppendDecodeEveryCharacter(t *testing.T) {
	for place := range 44 { // two blocks, and what follows them
		for c := range 256 {
			text := bytes.Repeat([]byte("A"), 44)
			text[place] = byte(c)
			_, err := AppendDecode(nil, string(text))
			if inside := strings.IndexByte(alphabet, byte(c)) >= 0; inside != (err == nil) {
				t.Errorf("AppendDecode(%q): %v", text, err)
			}
		}
	}
}

func TestAppendDecodeRefuses(t *testing.T) {
	tests := []struct {
		name, src string
		offset    int
	}{
		{"padding", "QQ==", 2},
		{"padding that is superfluous", "QUJD=", 4},
		{"line feed inside", "QU\nJD", 2},
		{"carriage return inside", "QU\rJD", 2},
		{"line break at the end", "QUJD\r\n", 4},
		{"line break alone", "\n", 0},
		{"space", "QU JD", 2},
		{"tab", "\tQUJD", 0},
		{"plus", "QU+D", 2},
		{"slash", "QU/D", 2},
		{"dot", "QUJD.", 4},
		{"NUL", "QUJ\x00", 3},
		{"not ASCII", "QUJDQUJDQUJ\xc3\x84", 11},
		{"in a block", "AAAAAAAAAAA=AAAAAAAAAAAA", 11},
		{"one character", "Q", 1},
		{"five characters", "QUJDR", 5},
		{"bits left in two characters", "QR", 1},
		{"all bits left in two characters", "Q_", 1},
		{"bits left in three characters", "QUF", 2},
		{"bits left after a block", "QUJDQUJDQUJDQR", 13},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			buffer := []byte("kept")
			got, err := AppendDecode(buffer, test.src)
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset != test.offset {
				t.Errorf("got %v, want an error at byte %d", err, test.offset)
			}
			if string(got) != "kept" {
				t.Errorf("appended %q", got)
			}
		})
	}
}

func TestAppendDecodeIntoRoom(t *testing.T) {
	encoded := base64.RawURLEncoding.EncodeToString(make([]byte, 405))
	buffer := make([]byte, 0, 405)
	if n := testing.AllocsPerRun(100, func() { _, _ = AppendDecode(buffer, encoded) }); n != 0 {
		t.Errorf("%v allocations with enough room, want 0", n)
	}
}

func FuzzAppendDecode(f *testing.F) {
	for _, seed := range []string{"", "Q", "QQ", "QR", "QUJD", "QUJDRA", "QU\nJD", "QQ==", "-_-_-_-_-_-_", "QUJDQUJDQUJDQUJD.", "+/+/"} {
		f.Add(seed)
	}
	strict := base64.RawURLEncoding.Strict()
	f.Fuzz(func(t *testing.T, src string) {
		got, err := AppendDecode(nil, src)
		want, wantErr := strict.DecodeString(src)
		if strings.ContainsAny(src, "\r\n") { // which encoding/base64 skips
			wantErr = errors.New("line break")
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("AppendDecode(%q): %v; encoding/base64: %v", src, err, wantErr)
		}
		if err == nil && string(got) != string(want) {
			t.Fatalf("AppendDecode(%q) = %x; encoding/base64: %x", src, got, want)
		}
		if err == nil && base64.RawURLEncoding.EncodeToString(got) != src {
			t.Fatalf("%q has a second spelling", src)
		}
	})
}
