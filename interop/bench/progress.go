package main

import (
	"fmt"
	"io"
	"os"
)

// progress is a line that is written over, on a terminal; elsewhere it's nothing.
type progress struct{ terminal io.Writer }

func newProgress(w io.Writer) *progress {
	file, ok := w.(*os.File)
	if !ok {
		return &progress{io.Discard}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{io.Discard}
	}
	return &progress{file}
}

const clearLine = "\r\x1b[K"

func (p *progress) show(done, of int, what string) {
	fmt.Fprintf(p.terminal, "%s%d/%d %s", clearLine, done, of, what)
}

func (p *progress) clear() { io.WriteString(p.terminal, clearLine) }
