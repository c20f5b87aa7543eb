package main

import (
	"errors"
	"flag"
	"io"
	"time"

	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/interop/programs"
)

// plan says what is measured, and for how long.
type plan struct {
	binary string
	only   string
	output measure.Output

	rules       []int // in the sets that are asked
	million     int   // rules, where the table says a million
	rounds      int
	turn        time.Duration // of one contender in one round
	connections int           // to the feed
	verifiers   int           // those of them that are whole ones, in this process
	rate        int           // rules a second
	window      time.Duration // for which the feed is measured

	progress *measure.Progress
	part     string
}

func parsePlan(args []string, stderr io.Writer) (plan, error) {
	p := plan{
		rules: []int{1_000, 1_000_000, 10_000_000}, million: 1_000_000, rounds: 9, turn: 200 * time.Millisecond,
		connections: 1000, verifiers: 20, rate: 1000, window: 15 * time.Second,
	}
	flags := flag.NewFlagSet("revocation", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&p.binary, "binary", "bin/jot", "the command to measure, as make build builds it")
	flags.StringVar(&p.only, "only", "", "measure only the parts whose names contain this text: check, peers, memory, writer, snapshot, feed on SQLite, feed on PostgreSQL")
	p.output.Register(flags)
	small := flags.Bool("small", false, "a thousandth of everything, to see that it works; the numbers say nothing")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	if *small {
		p = p.small()
	}
	return p, p.check(flags.NArg(), *small)
}

// small is for tests of this program.
func (p plan) small() plan {
	p.rules, p.million, p.rounds, p.turn = []int{1_000}, 1_000, 1, time.Millisecond
	p.connections, p.verifiers, p.rate, p.window = 10, 2, 50, time.Second
	return p
}

func (p plan) check(arguments int, small bool) error {
	if arguments > 0 || p.output.File != "" && (p.only != "" || small) {
		return errors.New("takes no arguments, and -write neither with -only nor with -small: a file shows the whole table")
	}
	return programs.CheckBuilt(p.binary)
}

// show tells what is at work.
func (p plan) show(what string) {
	if what != "" {
		what = ": " + what
	}
	p.progress.Line(p.part + what)
}
