package measure

import (
	"io"
	"strings"
	"text/tabwriter"
)

// Table is what was measured, as a person reads it.
type Table struct {
	Columns []Column
	Rows    [][]string // each has a cell for every column
}

// Column is the head of a column.
type Column struct {
	Name   string
	Number bool // its cells stand at the right
}

func (t Table) head() []string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return names
}

// Markdown is the table for a document.
func (t Table) Markdown() string {
	var out strings.Builder
	out.WriteString("| " + strings.Join(t.head(), " | ") + " |\n")
	for _, c := range t.Columns {
		if c.Number {
			out.WriteString("|--:")
		} else {
			out.WriteString("|---")
		}
	}
	out.WriteString("|\n")
	for _, cells := range t.Rows {
		out.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return out.String()
}

// text writes the table for a terminal.
func (t Table) text(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, cells := range append([][]string{t.head()}, t.Rows...) {
		io.WriteString(out, strings.TrimRight(strings.Join(cells, "\t"), "\t")+"\n")
	}
	return out.Flush()
}
