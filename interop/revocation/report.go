package main

import (
	"fmt"

	"github.com/jot-auth/jot/interop/measure"
)

// report is what was measured, on what and how.
type report struct {
	measure.Circumstances
	Lines []line `json:"lines"`

	plan plan
}

// line is one thing that was measured.
type line struct {
	Name     string  `json:"name"`
	Measured float64 `json:"measured"`
	Unit     string  `json:"unit"`
	AtMost   float64 `json:"at_most,omitempty"`  // the goal, in the same unit
	AtLeast  float64 `json:"at_least,omitempty"` // or this one
	Missed   bool    `json:"missed"`
	Note     string  `json:"note,omitempty"`
}

func newReport(p plan) *report {
	return &report{Circumstances: measure.Here(), plan: p}
}

func (r *report) add(l line) {
	l.Missed = l.AtMost > 0 && l.Measured > l.AtMost || l.AtLeast > 0 && l.Measured < l.AtLeast
	r.Lines = append(r.Lines, l)
}

// Table has a row for each line.
func (r *report) Table() measure.Table {
	table := measure.Table{Columns: []measure.Column{{Name: "what"}, {Name: "measured", Number: true}, {Name: "goal"}, {}}}
	for _, l := range r.Lines {
		table.Rows = append(table.Rows, []string{l.Name, figure(l.Measured) + " " + l.Unit, l.goalCell(), l.Note})
	}
	return table
}

func (l line) goalCell() string {
	goal := ""
	switch {
	case l.AtMost > 0:
		goal = "≤ " + figure(l.AtMost)
	case l.AtLeast > 0:
		goal = "≥ " + figure(l.AtLeast)
	}
	if l.Missed {
		return "MISSED: " + goal
	}
	return goal
}

// figure has three digits that say something.
func figure(value float64) string {
	switch {
	case value == float64(int(value)):
		return fmt.Sprintf("%.0f", value)
	case value < 10:
		return fmt.Sprintf("%.2f", value)
	case value < 100:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.0f", value)
	}
}

// Legend says what the numbers mean, and where and when they were measured.
func (r *report) Legend() string {
	p := r.plan
	return fmt.Sprintf(`A check is one look of a verifier into its rules, about a token that none of them names; the tokens are of a million subjects. Its time is CPU time of one core, the median
of %d rounds of %v. Its peers in memory and it take turns, on all cores at once, as in a busy verifier. A look over a socket is on the clock: nobody else asks meanwhile. × is
how many times longer a peer takes. The writer gets frames of 100 rules, and its seconds are those of its own CPU time; with go run -race it's under the race detector.
The server of the feed is the built command; CPU is what the operating system accounts to its process. %d connections read the feed for %v while clients revoke refresh tokens over
HTTP, %d a second where the machine can. The server, its database and all of them share this machine. The delay is from the answer of a revocation to the arrival of its rule
at each connection, and to the first refusal of those among them that are whole verifiers: %d, since that many thousand have more than one machine.
%v.
`, p.rounds, p.turn, p.connections, p.window, p.rate, p.verifiers, r.Circumstances)
}
