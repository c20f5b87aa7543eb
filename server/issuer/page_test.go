package issuer

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestPageSize: a page has as many entries as it's asked for, within bounds.
func TestPageSize(t *testing.T) {
	for limit, want := range map[int]int{0: DefaultPage, 1: 1, MaxPage: MaxPage} {
		if size, err := (Page{Limit: limit}).size(); err != nil || size != want {
			t.Errorf("%d: %d, %v, want %d", limit, size, err, want)
		}
	}
	for _, limit := range []int{-1, MaxPage + 1} {
		var input *InputError
		if _, err := (Page{Limit: limit}).size(); !errors.As(err, &input) || input.Field != "limit" {
			t.Errorf("%d: %v", limit, err)
		}
	}
}

// TestForeignPositions: what no page has answered is refused.
func TestForeignPositions(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	for name, text := range map[string]string{
		"no base64url": "!", "padded": encode([]byte("1 a")) + "=", "no ID": encode([]byte("1")), "an empty ID": encode([]byte("1 ")), "no time": encode([]byte(" a")),
		"a word for a time": encode([]byte("a a")), "a time that is too great": encode([]byte("9223372036854775808 a")), "a long ID": encode([]byte("1 " + strings.Repeat("a", 256))), "NUL": encode([]byte("1 \x00")),
	} {
		if p, err := parsePosition(text); err != errPosition {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// TestTurn: there is another page where more was read than this one takes.
func TestTurn(t *testing.T) {
	at := func(s string) string { return "after " + s }
	for size, want := range map[int]string{1: "after a", 2: "", 3: ""} {
		if page, next := turn([]string{"a", "b"}, size, at); !slices.Equal(page, []string{"a", "b"}[:min(size, 2)]) || next != want {
			t.Errorf("%d: %v and %q", size, page, next)
		}
	}
}

// FuzzParsePosition: a place in a list is the one that it was made of, and is found by its text alone.
func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{"", "MTcwMDAwMDAwMDAwMCBzaWRfMQ", "LTEgYQ", "KzEgYQ", "OTIyMzM3MjAzNjg1NDc3NTgwNyBh", "MCA", "MCAA", "MQ", "MTcwMDAwMDAwMDAwMCBzaWRfMQ=="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePosition(text)
		if err != nil {
			if p != (Position{}) || err != errPosition {
				t.Errorf("%q: %+v beside %v", text, p, err)
			}
			return
		}
		if text == "" {
			return
		}
		if again, err := parsePosition(p.String()); err != nil || again.compare(p) != 0 || again != p {
			t.Errorf("%q is %+v, and that is %+v, %v", text, p, again, err)
		}
	})
}
