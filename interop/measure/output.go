package measure

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
)

// Report is what a program has measured. Its JSON is for other programs.
type Report interface {
	Table() Table
	Legend() string // what the numbers mean, and where and when they were measured
}

// Output says how a report is written.
type Output struct {
	JSON bool
	File string // whose text between the markers is replaced by the table, too; "": none
}

// Register defines the flags -json and -write.
func (o *Output) Register(flags *flag.FlagSet) {
	flags.BoolVar(&o.JSON, "json", false, "write JSON")
	o.RegisterFile(flags)
}

// RegisterFile defines the flag -write alone.
func (o *Output) RegisterFile(flags *flag.FlagSet) {
	flags.StringVar(&o.File, "write", "", "also put the table between "+startMarker+" and "+endMarker+" of this file")
}

// Write writes the report for a person or a program, and into the file.
func (o Output) Write(w io.Writer, r Report) error {
	if o.File != "" {
		if err := WriteBetween(o.File, Markdown(r)); err != nil {
			return err
		}
	}
	if o.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	if err := r.Table().text(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n"+r.Legend())
	return err
}

// Markdown is a report for a document.
func Markdown(r Report) string { return r.Table().Markdown() + "\n" + r.Legend() }

// ExitCode tells a person of the error that a program ends with, and returns the code that it exits with.
func ExitCode(program string, err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		return 2
	default:
		fmt.Fprintln(stderr, program+":", err)
		return 1
	}
}
