package main

import (
	"fmt"
	"strings"

	"github.com/jot-auth/jot/interop/measure"
)

// row is a measured operation.
type row struct {
	operation
	jot     measurement
	peers   []measurement // in the order of peers(); zero where one was not measured
	allowed float64       // allocations; negative where no goal says
}

// measureRow measures the baseline, jot and the other libraries against each other.
func measureRow(k *keyring, o operation, p pace) (row, error) {
	contenders, err := o.contenders(k)
	if err != nil {
		return row{}, err
	}
	results, err := compare(contenders, p)
	if err != nil {
		return row{}, err
	}
	r := row{operation: o, jot: results[jotPlace], peers: results[firstPeerPlace:], allowed: o.allocations.count}
	if o.allocations.beyond != nil {
		indispensable, err := o.allocations.beyond(k)
		if err != nil {
			return row{}, err
		}
		r.allowed += allocationsOf(indispensable)
	}
	return r, nil
}

// contenders are the baseline, jot, and the other libraries; nil where there is none.
func (o operation) contenders(k *keyring) ([]work, error) {
	preparations := []preparation{o.against.prepare, o.jot}
	for _, lib := range peers() {
		var prepare preparation
		if o.peers != nil {
			prepare = o.peers(lib)
		}
		preparations = append(preparations, prepare)
	}
	contenders := make([]work, len(preparations))
	for i, prepare := range preparations {
		if prepare == nil {
			continue
		}
		var err error
		if contenders[i], err = prepare(k); err != nil {
			return nil, err
		}
	}
	return contenders, nil
}

// table shows the rows, with a column for each of the other libraries.
func table(rows []row) measure.Table {
	t := measure.Table{Columns: []measure.Column{
		{Name: "operation"}, {Name: "×"}, {Name: "jot", Number: true}, {Name: "goal"}, {Name: "allocations", Number: true},
	}}
	for _, lib := range peers() {
		t.Columns = append(t.Columns, measure.Column{Name: lib.name, Number: true})
	}
	for _, r := range rows {
		cells := []string{r.name, r.against.name, r.cost(r.jot), r.goalCell(), r.allocationsCell()}
		for _, peer := range r.peers {
			cells = append(cells, r.peerCell(peer))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// quicker says where another library is quicker than jot.
func quicker(rows []row) string {
	var where []string
	for _, r := range rows {
		for i, lib := range peers() {
			if r.isQuicker(r.peers[i]) {
				where = append(where, fmt.Sprintf("%s at “%s”", lib.name, r.name))
			}
		}
	}
	if where == nil {
		return "No other library is quicker than jot at any of these by more than noise."
	}
	return "Quicker than jot: " + strings.Join(where, ", ") + "."
}

func (r row) relative() bool { return r.against.prepare != nil }

// cost is how many times the baseline's, or nanoseconds.
func (r row) cost(m measurement) string {
	if r.relative() {
		return fmt.Sprintf("%.2f", m.ratio)
	}
	return fmt.Sprintf("%.0f ns", m.ns)
}

func (r row) amount(m measurement) float64 {
	if r.relative() {
		return m.ratio
	}
	return m.ns
}

func (r row) goalCell() string {
	if r.goal == 0 {
		return ""
	}
	cell := fmt.Sprintf("≤ %.2f", r.goal)
	if !r.relative() {
		cell = fmt.Sprintf("≤ %.0f ns", r.goal)
	}
	if r.amount(r.jot) > r.goal {
		return "**missed:** " + cell
	}
	return cell
}

func (r row) allocationsCell() string {
	switch {
	case r.allowed < 0:
		return fmt.Sprint(r.jot.allocations)
	case r.jot.allocations > r.allowed:
		return fmt.Sprintf("%v, **missed:** ≤ %v", r.jot.allocations, r.allowed)
	default:
		return fmt.Sprintf("%v, ≤ %v", r.jot.allocations, r.allowed)
	}
}

// peerCell is the cost and, in parentheses, the allocations.
func (r row) peerCell(m measurement) string {
	switch {
	case m.ns == 0:
		return ""
	case r.isQuicker(m):
		return fmt.Sprintf("**%s (%v)**", r.cost(m), m.allocations)
	default:
		return fmt.Sprintf("%s (%v)", r.cost(m), m.allocations)
	}
}

// isQuicker wants three rounds of four, as those of two that are equally quick go one way and the other.
func (r row) isQuicker(peer measurement) bool {
	return peer.ns != 0 && peer.quicker >= 0.75 && r.amount(peer) < r.amount(r.jot)
}
