// Command load measures the token server as its users run it: the built command, over HTTP, on SQLite and on
// PostgreSQL. What an operation costs is the CPU time that the operating system accounts to the server's process, since
// the time on the clock is everybody's.
//
//	make build && go run ./interop/load                   # a table
//	go run ./interop/load -only refresh -database sqlite  # a part of it
//	go run ./interop/load -write docs/benchmarks.md       # and put it between the two markers of a file
//	go run ./interop/load seed -data DIR                  # a million sessions for a server of your own
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/jot-auth/jot/interop/measure"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(args) > 0 && args[0] == "seed":
		err = runSeed(ctx, args[1:], stdout, stderr)
	case len(args) > 0 && args[0] == emptyCommand:
		err = serveEmpty(stdin, stdout)
	default:
		err = runMeasure(ctx, args, stdout, stderr)
	}
	return measure.ExitCode("load", err, stderr)
}

func runMeasure(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p, err := parsePlan(args, stderr)
	if err != nil {
		return err
	}
	progress := measure.NewProgress(stderr)
	defer progress.Clear()
	r := newReport(p)
	if err := p.measure(ctx, r, progress); err != nil {
		return err
	}
	progress.Clear()
	return p.output.Write(stdout, r)
}
