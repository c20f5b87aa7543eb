package cli

import (
	"io"
	"os"
)

// style marks text for a terminal; its zero value leaves text plain.
type style struct{ colour bool }

// styleFor is the style of a stream: plain unless it is a terminal, and where NO_COLOR (https://no-color.org) is set.
func styleFor(stream io.Writer) style {
	file, ok := stream.(*os.File)
	return style{ok && isTerminal(file) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (s style) title(text string) string   { return s.mark("1", text) }
func (s style) faint(text string) string   { return s.mark("2", text) }
func (s style) good(text string) string    { return s.mark("32", text) }
func (s style) caution(text string) string { return s.mark("33", text) }
func (s style) bad(text string) string     { return s.mark("31", text) }

func (s style) mark(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// isTerminal reports whether a person sits at the other end. The null device is a character device as well.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
