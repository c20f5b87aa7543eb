package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jot-auth/jot/interop/programs"
)

func measureFeedOnSQLite(ctx context.Context, p plan, r *report) error {
	return measureFeed(ctx, p, r, &site{name: "SQLite"})
}

func measureFeedOnPostgres(ctx context.Context, p plan, r *report) (err error) {
	cluster, err := programs.StartCluster(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	url, err := cluster.Database(ctx, "feed")
	if err != nil {
		return err
	}
	return measureFeed(ctx, p, r, &site{name: "PostgreSQL", database: url})
}

// measureFeed lets clients revoke at a rate, first while nobody reads the feed and then while all connections do. What
// the server needs more is the feed's.
func measureFeed(ctx context.Context, p plan, r *report, s *site) (err error) {
	if s.dir, err = os.MkdirTemp("", "jot-revocation-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	alone := p.window / 3
	before := int(float64(p.rate) * alone.Seconds())
	if err := s.beginSessions(ctx, p, before+int(float64(p.rate)*p.window.Seconds())); err != nil {
		return err
	}
	running, err := s.start(ctx, p.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.Stop()) }()
	measured, err := s.measure(ctx, p, running, before)
	if err != nil {
		return errors.Join(err, running.Tail())
	}
	measured.report(r, s.name)
	return nil
}

// load is what the server did in a window.
type load struct {
	cpu, took   time.Duration
	revocations []revoked
}

// feedCosts are all that was measured of one server.
type feedCosts struct {
	plan        plan
	alone, full load
	before      int64 // bytes of memory
	after       int64
	arrivals    []time.Duration // sorted
	refusals    []time.Duration
}

func (s *site) measure(ctx context.Context, p plan, running *programs.Program, before int) (m feedCosts, err error) {
	m.plan = p
	p.show("revocations alone")
	if m.alone, err = s.revokeAll(ctx, p, running, s.sessions[:before], nil); err != nil {
		return m, err
	}
	if m.before, err = programs.Resident(running.PID()); err != nil {
		return m, err
	}
	p.show(fmt.Sprint(p.connections, " connections"))
	a, err := gather(ctx, p, running.Base)
	if err != nil {
		return m, err
	}
	defer a.leave()
	p.show(fmt.Sprint("revocations, to ", p.connections, " connections"))
	if m.full, err = s.revokeAll(ctx, p, running, s.sessions[before:], a.watch); err != nil {
		return m, err
	}
	if m.after, err = programs.Resident(running.PID()); err != nil {
		return m, err
	}
	if m.refusals, err = a.refusals(); err != nil {
		return m, err
	}
	m.arrivals, err = a.arrivals(ctx, m.full.revocations)
	return m, err
}

// report adds the lines.
func (m *feedCosts) report(r *report, database string) {
	add := func(l line) {
		l.Name = "feed, " + database + ": " + l.Name
		r.add(l)
	}
	cores := func(cpu, took time.Duration) float64 { return float64(cpu) / float64(took) }
	rate := float64(len(m.full.revocations)) / m.full.took.Seconds()
	add(line{Name: "rules a second", Measured: rate, AtLeast: 0.98 * float64(m.plan.rate)})
	each := m.alone.cpu / time.Duration(len(m.alone.revocations))
	own := each * time.Duration(len(m.full.revocations))
	add(line{
		Name: fmt.Sprintf("cores for %d connections", m.plan.connections), Measured: cores(m.full.cpu-own, m.full.took), AtMost: 0.5,
		Note: fmt.Sprintf("and %s for the revocations themselves", figure(cores(own, m.full.took))),
	})
	add(line{Name: "memory a connection", Measured: float64(m.after-m.before) / 1000 / float64(m.plan.connections), Unit: "KB", AtMost: 40})
	add(line{Name: "delay to each connection, p50", Measured: milliseconds(m.arrivals, 0.5), Unit: "ms"})
	add(line{Name: "delay to each connection, p99", Measured: milliseconds(m.arrivals, 0.99), Unit: "ms", AtMost: 100})
	add(line{Name: "delay to the refusal, p50", Measured: milliseconds(m.refusals, 0.5), Unit: "ms"})
	add(line{Name: "delay to the refusal, p99", Measured: milliseconds(m.refusals, 0.99), Unit: "ms", AtMost: 100})
}
