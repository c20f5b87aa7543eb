package measure

import (
	"fmt"
	"io"
	"os"
)

// Progress is a line that is written over, on a terminal; elsewhere it's nothing.
type Progress struct{ terminal io.Writer }

// NewProgress writes to w where that's a terminal.
func NewProgress(w io.Writer) *Progress {
	if !IsTerminal(w) {
		w = io.Discard
	}
	return &Progress{w}
}

// IsTerminal reports whether a person is likely to look at what is written.
func IsTerminal(w io.Writer) bool {
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

// Clear leaves nothing of the line.
func (p *Progress) Clear() { io.WriteString(p.terminal, clearLine) }
