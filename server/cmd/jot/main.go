// Command jot signs, verifies, encrypts and explains JSON Web Tokens, and serves them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/jot-auth/jot/server/internal/cli"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // who is told of it ends when a client hangs up; a write that fails is an error like others
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
