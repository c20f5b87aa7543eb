package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTableFits: a line is as wide as the terminal at most, as long as each column keeps its few characters; what is
// cut says so.
func TestTableFits(t *testing.T) {
	rows := [][]string{{"NAME", "SCOPE", "AGENT"}, {"bob", "pets:read pets:write", strings.Repeat("ü", 100)}}
	for width, want := range map[int][]int{200: {4, 20, 100}, 60: {4, 20, 32}, 30: {4, 11, 11}, 5: {4, 6, 6}} {
		widths := fitColumns(rows, width)
		if !slices.Equal(widths, want) {
			t.Errorf("%d: widths %v, want %v", width, widths, want)
		}
		for _, row := range rows {
			if line := tableLine(row, widths); utf8.RuneCountInString(line) > max(width, 4+6+6+4) {
				t.Errorf("%d: %q", width, line)
			}
		}
	}
	if line := tableLine(rows[1], []int{4, 6, 6}); line != "bob   pets:…  üüüüü…" {
		t.Errorf("%q", line)
	}
}

// TestTableIsSafe: whatever a user says of itself, it stays one cell of one line.
func TestTableIsSafe(t *testing.T) {
	var r record
	if err := json.Unmarshal([]byte(`{"user_agent":"\u001b[31m\r\nx\u202e","claims":{"a":"\u009b\t"},"list":["a\tb",1],"none":null}`), &r); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"user_agent", "claims", "list", "none", "missing"} {
		if cell := (column{member: name}).cell(&r, true); strings.ContainsAny(cell, "\x1b\r\n\t\u009b\u202e") {
			t.Errorf("%s: %q", name, cell)
		}
	}
}
