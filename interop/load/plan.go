package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/interop/programs"
)

// The bounds keep a slip of the keyboard from turning a measurement into an attack on the machine.
const (
	maxClients  = 256
	maxRounds   = 101
	maxTurn     = time.Minute
	maxSessions = 10_000_000
)

// loginClients is how many log in beside the refreshes of one line of the table.
const loginClients = 32

// plan says what is measured, and for how long.
type plan struct {
	binary    string
	databases []string
	clients   int           // that send requests at once, each over a connection that it keeps
	rounds    int           // of each operation, after one to warm up
	turn      time.Duration // how long a round is
	sessions  int           // that are in the database beforehand
	only      string
	output    measure.Output
}

const (
	sqlite     = "sqlite"
	postgreSQL = "postgres"
)

func parsePlan(args []string, stderr io.Writer) (plan, error) {
	var p plan
	var database string
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&p.binary, "binary", "bin/jot", "the command to measure, as make build builds it")
	flags.StringVar(&database, "database", "both", sqlite+", "+postgreSQL+" or both")
	flags.IntVar(&p.clients, "clients", 8, "how many clients send requests at once")
	flags.IntVar(&p.rounds, "rounds", 5, "how many rounds each operation has")
	flags.DurationVar(&p.turn, "turn", 3*time.Second, "how long a round is")
	flags.IntVar(&p.sessions, "sessions", 1_000_000, "how many sessions are in the database beforehand")
	flags.StringVar(&p.only, "only", "", "measure only the operations whose names contain this text")
	p.output.Register(flags)
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	switch database {
	case "both":
		p.databases = []string{sqlite, postgreSQL}
	case sqlite, postgreSQL:
		p.databases = []string{database}
	default:
		return p, fmt.Errorf("-database %s: say %s, %s or both", database, sqlite, postgreSQL)
	}
	return p, errors.Join(p.check(), p.checkUse(flags.NArg()))
}

func (p plan) check() error {
	switch {
	case p.clients < 1 || p.clients > maxClients:
		return fmt.Errorf("-clients must be from 1 to %d", maxClients)
	case p.rounds < 1 || p.rounds > maxRounds:
		return fmt.Errorf("-rounds must be from 1 to %d", maxRounds)
	case p.turn <= 0 || p.turn > maxTurn:
		return fmt.Errorf("-turn must be positive, and at most %v", maxTurn)
	case p.sessions < 0 || p.sessions > maxSessions:
		return fmt.Errorf("-sessions must be from 0 to %d", maxSessions)
	}
	return nil
}

func (p plan) checkUse(arguments int) error {
	if arguments > 0 || p.only != "" && p.output.File != "" {
		return errors.New("takes no arguments, and not -only together with -write: a file shows the whole table")
	}
	return programs.CheckBuilt(p.binary)
}

// wants reports whether an operation is part of the plan.
func (p plan) wants(name string) bool { return strings.Contains(name, p.only) }
