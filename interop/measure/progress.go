package measure

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Progress is a line that is written over, on a terminal; elsewhere it's nothing.
type Progress struct{ terminal io.Writer }

// NewProgress writes to w where that's a terminal.
func NewProgress(w io.Writer) *Progress {
	if !isTerminal(w) {
		w = io.Discard
	}
	return &Progress{w}
}

// isTerminal reports whether a person is likely to look at what is written.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

const clearLine = "\r\x1b[K"

// Show says how much is done, and what is at work.
func (p *Progress) Show(done, of int, what string) {
	fmt.Fprintf(p.terminal, "%s%d/%d %s", clearLine, done, of, what)
}

// Bar draws how much is done.
func (p *Progress) Bar(done, of int, what string) {
	const width = 40
	full := width * done / max(1, of)
	fmt.Fprintf(p.terminal, "%s%s%s %3d %% of %d %s", clearLine, strings.Repeat("█", full), strings.Repeat("░", width-full), 100*done/max(1, of), of, what)
}

// Clear leaves nothing of the line.
func (p *Progress) Clear() { io.WriteString(p.terminal, clearLine) }

// Line says what is at work.
func (p *Progress) Line(what string) { fmt.Fprint(p.terminal, clearLine, what) }
