package main

import (
	"fmt"

	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/interop/programs"
)

// Units of what is measured, beside MB, which is a million bytes.
const (
	ofCPU   = "ms of CPU"
	onClock = "ms"
)

// report is what was measured, on what and how.
type report struct {
	measure.Circumstances
	Clients  int     `json:"clients"`
	Rounds   int     `json:"rounds"`
	Turn     float64 `json:"turn_seconds"`
	Sessions int     `json:"sessions"`
	Lines    []line  `json:"lines"`

	hash float64 // milliseconds of CPU that a bare Argon2id hash takes
}

// line is one thing that was measured, on one database or without any.
type line struct {
	Operation   string  `json:"operation"`
	Database    string  `json:"database,omitempty"`
	Measured    float64 `json:"measured"`
	Unit        string  `json:"unit"`
	Goal        float64 `json:"goal,omitempty"` // at most, in the same unit
	Missed      bool    `json:"missed"`
	DatabaseCPU float64 `json:"database_cpu_ms,omitempty"` // per operation, of PostgreSQL
	P50         float64 `json:"p50_ms,omitempty"`          // on the clock of the client
	P99         float64 `json:"p99_ms,omitempty"`
	Operations  int     `json:"operations,omitempty"`
}

func newReport(p plan) *report {
	return &report{
		Circumstances: measure.Here(),
		Clients:       p.clients, Rounds: p.rounds, Turn: p.turn.Seconds(), Sessions: p.sessions,
	}
}

func (r *report) add(l line) {
	l.Missed = l.Goal > 0 && l.Measured > l.Goal
	r.Lines = append(r.Lines, l)
}

// addOperation adds a line, and judges it by the figure that its goal is for.
func (r *report) addOperation(o operation, database string, c cost) {
	l := lineOf(o.name, database, c)
	l.Goal = o.goals.on(database)
	switch {
	case o.tail:
		l.Measured, l.Unit = l.P99, onClock
	case o.overrun:
		l.Goal += r.hash
	}
	r.add(l)
}

// lineOf has the medians of all rounds.
func lineOf(name, database string, c cost) line {
	return line{
		Operation: name, Database: database, Measured: measure.Median(c.server), Unit: ofCPU, DatabaseCPU: measure.Median(c.database),
		P50: c.quantile(0.50), P99: c.quantile(0.99), Operations: len(c.took),
	}
}

// Table has a row for each line.
func (r *report) Table() measure.Table {
	table := measure.Table{Columns: []measure.Column{
		{Name: "operation"}, {Name: "database"}, {Name: "measured", Number: true}, {Name: "goal"},
		{Name: "PostgreSQL's CPU", Number: true}, {Name: "p50", Number: true}, {Name: "p99", Number: true}, {Name: "operations", Number: true},
	}}
	for _, l := range r.Lines {
		table.Rows = append(table.Rows, []string{
			l.Operation, databaseNames[l.Database], figure(l.Measured) + " " + l.Unit, l.goalCell(),
			unlessZero(l.DatabaseCPU), unlessZero(l.P50), unlessZero(l.P99), count(l.Operations),
		})
	}
	return table
}

var databaseNames = map[string]string{sqlite: "SQLite", postgreSQL: "PostgreSQL"}

func (l line) goalCell() string {
	switch {
	case l.Goal == 0:
		return ""
	case l.Missed:
		return "MISSED: ≤ " + figure(l.Goal)
	default:
		return "≤ " + figure(l.Goal)
	}
}

// figure has three digits that say something.
func figure(value float64) string {
	switch {
	case value < 1:
		return fmt.Sprintf("%.3f", value)
	case value < 100:
		return fmt.Sprintf("%.2f", value)
	default:
		return fmt.Sprintf("%.0f", value)
	}
}

func unlessZero(milliseconds float64) string {
	if milliseconds == 0 {
		return ""
	}
	return figure(milliseconds) + " ms"
}

// Legend says what the numbers mean, and where and when they were measured.
func (r *report) Legend() string {
	return fmt.Sprintf(`CPU is what the operating system accounts to the process, in ticks of %v, divided by the operations of a round: the median of %d rounds of %vs,
after one to warm up, with %d clients on connections that they keep. p50 and p99 are on the clock of the client, over all rounds. MB are millions of bytes.
The goal of a login is the bare hash and 1 ms; that of refreshes beside logins is for the p99. With PostgreSQL, its own CPU is that of all its processes.
%v; %d sessions in the database beforehand.
`, programs.Tick, r.Rounds, r.Turn, r.Clients, r.Circumstances, r.Sessions)
}

func count(operations int) string {
	if operations == 0 {
		return ""
	}
	return fmt.Sprint(operations)
}
