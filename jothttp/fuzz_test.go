package jothttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// counted counts what is read of an answer.
type counted struct {
	io.Reader
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

// An answer is refused whole, or gives a token that can stand in a header, and a pair that a store gives back as it is.
func FuzzReadTokenPair(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"access_token":"a.b.c","token_type":"Bearer","expires_in":60,"refresh_token":"r","scope":"x"}`,
		`{"access_token":"a","token_type":"dpop","expires_in":"9223372036854775807"}`, `{"access_token":"a","token_type":"bearer","expires_in":-1}`,
		`{"access_token":"a b","token_type":"Bearer"}`, `{"access_token":"a","token_type":"mac"}`, `{"access_token":"a","access_token":"b","token_type":"Bearer"}`,
		`{"access_token":"a","token_type":"Bearer","expires_in":1e400}`, `{"access_token":"a","token_type":"Bearer","refresh_token":"\u0000\ud83d\ude00"}`,
		`{"access_token":"a","token_type":"Bearer","refresh_token":"` + strings.Repeat("<", maxTokenAnswer-100) + `"}`,
		`{"access_token":"a","token_type":"Bearer"}` + strings.Repeat(" ", maxTokenAnswer),
	} {
		f.Add([]byte(seed))
	}
	now := time.Unix(1_700_000_000, 0)
	store := FileStore(filepath.Join(f.TempDir(), "tokens"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		in := &counted{Reader: io.MultiReader(bytes.NewReader(answer), strings.NewReader(strings.Repeat(" ", 2*maxTokenAnswer)))}
		if pair, err := ReadTokenPair(in, now); err == nil || pair != (TokenPair{}) || in.read > maxTokenAnswer+1 {
			t.Errorf("an endless answer: %+v, %v; %d bytes were read", pair, err, in.read)
		}
		pair, err := ReadTokenPair(bytes.NewReader(answer), now)
		if err != nil {
			if pair != (TokenPair{}) {
				t.Errorf("%q: %#v beside %v", answer, pair, err)
			}
			return
		}
		life := pair.Expires.Sub(now)
		if !authorization.MatchString("Bearer "+pair.Access) || !pair.Expires.IsZero() && (life <= 0 || life > maxLife*time.Second) || len(answer) > maxTokenAnswer {
			t.Errorf("%q gives %q for %v", answer, pair.Access, life)
		}
		if err := store.write(pair); err != nil {
			t.Fatal(err)
		}
		if again, err := store.Load(t.Context()); err != nil || !again.equal(pair) {
			t.Errorf("%q: the store gives another pair, or %v", answer, err)
		}
	})
}

func (p TokenPair) equal(other TokenPair) bool {
	return p.same(other) && p.Bound == other.Bound && p.Expires.Equal(other.Expires)
}

// A file is refused and left as it is, or what it holds stays until it's changed, and what it's changed to is read
// again.
func FuzzTokenFile(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, "\n", `{"access_token":"a","refresh_token":"r","expires":"2026-01-02T03:04:05.000000006+23:59","bound":true}`, `{"access_token":"a`,
		`{"access_token":"a","access_token":"b"}`, `{"access_token":"a","more":[1]}`, `{"expires":"9999-12-31T23:59:59-23:59"}`, `{"expires":"0000-01-01T00:00:00Z"}`,
		`{"refresh_token":"` + strings.Repeat(" ", 100) + `"}`, `{"access_token":"a"}` + strings.Repeat(" ", maxTokenFile),
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "tokens")
	store := FileStore(path)
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		left := func() string {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		held, failed := store.Load(t.Context())
		if len(text) > maxTokenFile && failed == nil || failed != nil && held != (TokenPair{}) {
			t.Fatalf("%q: %#v, %v", text, held, failed)
		}
		changed := false
		err := store.Update(t.Context(), func(before TokenPair) (TokenPair, error) {
			changed = true
			if !before.equal(held) {
				t.Errorf("%q is updated from %#v", text, before)
			}
			return before, nil
		})
		if (err == nil) != (failed == nil) || changed == (failed != nil) || left() != string(text) {
			t.Errorf("%q: loaded with %v, updated with %v, and %q is left", text, failed, err, left())
		}
		if failed != nil {
			return
		}
		next := held
		next.Access += "x"
		switch err := store.Update(t.Context(), func(TokenPair) (TokenPair, error) { return next, nil }); {
		case err != nil && left() != string(text):
			t.Errorf("%q: %v, and %q is left", text, err, left())
		case err == nil:
			if got, err := store.Load(t.Context()); err != nil || !got.equal(next) {
				t.Errorf("%q: what was written is read with %v", text, err)
			}
		case len(text) < maxTokenFile/8:
			t.Errorf("%q can't be updated: %v", text, err)
		}
	})
}

// cursorGrammar is that of the header; the number has to fit 64 bits besides.
var cursorGrammar = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):(0|[1-9][0-9]*)$")

// What is taken is what the grammar says, and writes back to the same text.
func FuzzMinCursor(f *testing.F) {
	for _, seed := range []string{
		"", ":", "log", "log:", ":1", "log:0", "log:7", "log:07", "log:+7", "log:-1", "log:7 ", " log:7", "log:1_0", "log:18446744073709551615", "log:18446744073709551616",
		"a:b:1", "lög:1", "log:١", "log,x:1", strings.Repeat("l", 128) + ":1", strings.Repeat("l", 129) + ":1", "log:1\x00", "log:" + strings.Repeat("0", 1000),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		got, err := readMinCursor(http.Header{MinCursorHeader: {field}})
		match := cursorGrammar.FindStringSubmatch(field)
		if match != nil {
			if _, tooLarge := strconv.ParseUint(match[2], 10, 64); tooLarge != nil {
				match = nil
			}
		}
		switch {
		case match == nil:
			if got != nil || !errors.Is(err, errBadCursor) {
				t.Errorf("%q: %+v, %v", field, got, err)
			}
		case err != nil || got.logID+":"+strconv.FormatUint(got.sequence, 10) != field:
			t.Errorf("%q: %+v, %v", field, got, err)
		}
		if got, err := readMinCursor(http.Header{MinCursorHeader: {field, field}}); got != nil || !errors.Is(err, errBadCursor) {
			t.Errorf("%q twice: %+v, %v", field, got, err)
		}
	})
}
