package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

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
	Date      string  `json:"date"`
	Processor string  `json:"processor"`
	Cores     int     `json:"cores"`
	Platform  string  `json:"platform"`
	Go        string  `json:"go"`
	Clients   int     `json:"clients"`
	Rounds    int     `json:"rounds"`
	Turn      float64 `json:"turn_seconds"`
	Sessions  int     `json:"sessions"`
	Lines     []line  `json:"lines"`

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
		Date: time.Now().Format(time.DateOnly), Processor: measure.Processor(), Cores: runtime.NumCPU(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		Clients: p.clients, Rounds: p.rounds, Turn: p.turn.Seconds(), Sessions: p.sessions,
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

func (r *report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, cells := range r.cells() {
		fmt.Fprintln(table, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n"+r.legend())
	return err
}

// markdown is the table for a document.
func (r *report) markdown() string {
	var out strings.Builder
	for n, cells := range r.cells() {
		out.WriteString("| " + strings.Join(cells, " | ") + " |\n")
		if n == 0 {
			out.WriteString("|---|---|--:|---|--:|--:|--:|--:|\n")
		}
	}
	return out.String() + "\n" + r.legend()
}

// cells are the table, with its heading.
func (r *report) cells() [][]string {
	rows := [][]string{{"operation", "database", "measured", "goal", "PostgreSQL's CPU", "p50", "p99", "operations"}}
	for _, l := range r.Lines {
		rows = append(rows, []string{
			l.Operation, databaseNames[l.Database], figure(l.Measured) + " " + l.Unit, l.goalCell(),
			unlessZero(l.DatabaseCPU), unlessZero(l.P50), unlessZero(l.P99), count(l.Operations),
		})
	}
	return rows
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

// legend says what the numbers mean, and where and when they were measured.
func (r *report) legend() string {
	return fmt.Sprintf(`CPU is what the operating system accounts to the process, in ticks of %v, divided by the operations of a round: the median of %d rounds of %vs,
after one to warm up, with %d clients on connections that they keep. p50 and p99 are on the clock of the client, over all rounds. MB are millions of bytes.
The goal of a login is the bare hash and 1 ms; that of refreshes beside logins is for the p99. With PostgreSQL, its own CPU is that of all its processes.
%s, %s, %d cores, %s, %s; %d sessions in the database beforehand.
`, programs.Tick, r.Rounds, r.Turn, r.Clients, r.Date, r.Processor, r.Cores, r.Platform, r.Go, r.Sessions)
}

func count(operations int) string {
	if operations == 0 {
		return ""
	}
	return fmt.Sprint(operations)
}
