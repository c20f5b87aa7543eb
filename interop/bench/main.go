// Command bench measures jot against the bare signature of the standard library and against other token libraries, and
// prints a table in Markdown.
//
//	go run ./interop/bench                     # print it
//	go run ./interop/bench -write README.md    # put it between the two markers of a file, too
//	go run ./interop/bench -only sign          # a part of it
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jot-auth/jot/interop/measure"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	return measure.ExitCode("bench", bench(args, stdout, stderr), stderr)
}

func bench(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rounds := flags.Int("rounds", 31, "how often each contender takes its turn")
	turn := flags.Duration("turn", 20*time.Millisecond, "how long a turn is")
	only := flags.String("only", "", "measure only the operations whose names contain this text")
	var output measure.Output
	output.RegisterFile(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *rounds < 1 || *turn <= 0 || *only != "" && output.File != "" {
		return errors.New("takes no arguments, a positive pace, and not -only together with -write: a file shows the whole table")
	}
	p := pace{*rounds, *turn}
	rows, err := measureAll(p, *only, measure.NewProgress(stderr))
	if err != nil {
		return err
	}
	report := strings.Join([]string{table(rows).Markdown(), legend, quicker(rows), circumstances(p)}, "\n") + "\n"
	if output.File != "" {
		if err := measure.WriteBetween(output.File, report); err != nil {
			return err
		}
	}
	_, err = io.WriteString(stdout, report)
	return err
}

// legend explains the table.
const legend = `Each number says how many times the CPU time of the bare signature (column ×, in the same round, on the same bytes) an operation takes; in parentheses,
and for jot in its column, its allocations. Verification is everything: form, algorithm, signature, exp, nbf, iss, aud, of an access token with 13 claims;
“decoded” is into the caller's own struct. RSA keys have 2048 bits. Only jot and tink check typ, too; kataras/jwt signs without one; tink has no EdDSA.
Bold: quicker than jot, in at least three of four rounds; or a goal that is missed.
`

func measureAll(p pace, only string, progress *measure.Progress) ([]row, error) {
	k, err := newKeyring()
	if err != nil {
		return nil, err
	}
	defer progress.Clear()
	var rows []row
	all := operations()
	for i, o := range all {
		if !strings.Contains(o.name, only) {
			continue
		}
		progress.Show(i+1, len(all), o.name)
		r, err := measureRow(k, o, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}
