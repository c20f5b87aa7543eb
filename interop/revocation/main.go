// Command revocation measures what revocation costs: the check of a token in a verifier, beside what others would do in
// its place; the memory and the snapshot of a million rules; and the built server with a thousand connections to its
// feed.
//
//	make build && go run ./interop/revocation            # a table
//	go run ./interop/revocation -only check              # a part of it
//	go run ./interop/revocation -write docs/revocation.md  # and put it between the two markers of a file
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/jot-auth/jot/interop/measure"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return measure.ExitCode("revocation", runMeasure(ctx, args, stdout, stderr), stderr)
}

// parts of the table, in its order.
var parts = []struct {
	name    string
	measure func(context.Context, plan, *report) error
}{
	{"check", measureChecks},
	{"peers", measurePeers},
	{"memory", measureMemory},
	{"writer", measureWriter},
	{"snapshot", measureSnapshot},
	{"feed on SQLite", measureFeedOnSQLite},
	{"feed on PostgreSQL", measureFeedOnPostgres},
}

func runMeasure(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p, err := parsePlan(args, stderr)
	if err != nil {
		return err
	}
	p.progress = measure.NewProgress(stderr)
	defer p.progress.Clear()
	r := newReport(p)
	for n, part := range parts {
		if !strings.Contains(part.name, p.only) {
			continue
		}
		p.part = fmt.Sprintf("%d/%d %s", n+1, len(parts), part.name)
		p.show("")
		if err := part.measure(ctx, p, r); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	p.progress.Clear()
	return p.output.Write(stdout, r)
}
