package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const (
	plainWidth  = 80 // of a terminal that doesn't tell
	leastColumn = 6  // characters, to which a column is cut at most
	columnGap   = "  "
)

// record is an object of the admin API, and its text.
type record struct {
	members map[string]any
	raw     json.RawMessage
}

func (r *record) UnmarshalJSON(data []byte) error {
	r.raw = bytes.Clone(data)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(&r.members)
}

// text is a member as a person reads it; what is absent or null is empty.
func (r *record) text(name string) string {
	switch value := r.members[name].(type) {
	case nil:
		return ""
	case string:
		return value
	case bool, json.Number:
		return fmt.Sprint(value)
	case []any:
		words := make([]string, len(value))
		for n, v := range value {
			words[n] = fmt.Sprint(v)
		}
		return strings.Join(words, " ")
	default:
		encoded, err := encodeJSON(value)
		if err != nil {
			return "?"
		}
		return string(encoded)
	}
}

// column is a member of the records in a table.
type column struct {
	title, member string
	date          bool
}

// cell is a member as it stands in a table: dates are in local time for a person, and as they came for a program.
func (c column) cell(r *record, person bool) string {
	text := r.text(c.member)
	if date, err := time.Parse(time.RFC3339, text); c.date && person && err == nil {
		text = date.Local().Format("2006-01-02 15:04")
	}
	return printable(text)
}

// recordWriter writes records to standard output: as a table, as lines with tabs, or as JSON.
type recordWriter struct {
	out     io.Writer
	columns []column
	json    bool
	screen  *os.File   // nil: no person
	rows    [][]string // of the table, which is written in the end
}

func newRecordWriter(cmd *cobra.Command, asJSON bool, columns []column) *recordWriter {
	w := &recordWriter{out: cmd.OutOrStdout(), columns: columns, json: asJSON}
	if file, ok := w.out.(*os.File); ok && isTerminal(file) && !asJSON {
		w.screen = file
	}
	return w
}

// write takes one record.
func (w *recordWriter) write(r *record) error {
	if w.json {
		return w.line(printableJSON(r.raw))
	}
	row := make([]string, len(w.columns))
	for n, c := range w.columns {
		row[n] = c.cell(r, w.screen != nil)
	}
	if w.screen != nil {
		w.rows = append(w.rows, row)
		return nil
	}
	return w.line([]byte(strings.Join(row, "\t")))
}

func (w *recordWriter) line(text []byte) error {
	_, err := w.out.Write(append(text, '\n'))
	return err
}

// flush writes the table, with columns that are as wide as what they hold, as far as the terminal is.
func (w *recordWriter) flush() error {
	if w.screen == nil || len(w.rows) == 0 {
		return nil
	}
	titles := make([]string, len(w.columns))
	for n, c := range w.columns {
		titles[n] = c.title
	}
	width, _, err := term.GetSize(int(w.screen.Fd()))
	if err != nil || width <= 0 {
		width = plainWidth
	}
	widths := fitColumns(append([][]string{titles}, w.rows...), width)
	if err := w.line([]byte(styleFor(w.screen).title(tableLine(titles, widths)))); err != nil {
		return err
	}
	for _, row := range w.rows {
		if err := w.line([]byte(tableLine(row, widths))); err != nil {
			return err
		}
	}
	return nil
}

// fitColumns cuts the widest column, again and again, until a line fits.
func fitColumns(rows [][]string, width int) []int {
	widths := make([]int, len(rows[0]))
	total := len(columnGap) * (len(widths) - 1)
	for n := range widths {
		for _, row := range rows {
			widths[n] = max(widths[n], utf8.RuneCountInString(row[n]))
		}
		total += widths[n]
	}
	for ; total > width; total-- {
		widest := 0
		for n := range widths {
			if widths[n] > widths[widest] {
				widest = n
			}
		}
		if widths[widest] <= leastColumn {
			break
		}
		widths[widest]--
	}
	return widths
}

func tableLine(row []string, widths []int) string {
	var line strings.Builder
	for n, text := range row {
		if n > 0 {
			line.WriteString(columnGap)
		}
		if runes := []rune(text); len(runes) > widths[n] {
			text = string(runes[:widths[n]-1]) + "…"
		}
		fmt.Fprintf(&line, "%-*s", widths[n], text)
	}
	return strings.TrimRight(line.String(), " ")
}

// showRecord writes one record: a member a line, or JSON.
func showRecord(cmd *cobra.Command, asJSON bool, r *record, columns []column) error {
	w := newRecordWriter(cmd, asJSON, columns)
	if asJSON {
		return w.write(r)
	}
	width := 0
	for _, c := range columns {
		width = max(width, len(c.title))
	}
	style := styleFor(w.out)
	for _, c := range columns {
		text, line := c.cell(r, w.screen != nil), ""
		switch {
		case w.screen == nil:
			line = c.member + "\t" + text
		case text == "":
			continue
		default:
			line = style.faint(fmt.Sprintf("%-*s", width, c.title)) + columnGap + text
		}
		if err := w.line([]byte(line)); err != nil {
			return err
		}
	}
	return nil
}
