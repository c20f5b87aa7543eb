package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/interop/programs"
	"github.com/jot-auth/jot/server/issuer"
)

// settling is how long a server that has just started is left alone before its memory is looked at.
const settling = 300 * time.Millisecond

// measure fills the report, in a temporary directory.
func (p plan) measure(ctx context.Context, r *report, progress *measure.Progress) error {
	dir, err := os.MkdirTemp("", "jot-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := p.measureBaselines(ctx, r, dir, progress); err != nil {
		return err
	}
	for _, database := range p.databases {
		if err := p.withDatabase(ctx, r, database, filepath.Join(dir, database), progress); err != nil {
			return fmt.Errorf("%s: %w", database, err)
		}
	}
	return nil
}

// measureBaselines is what the rest is read against, and what needs no server.
func (p plan) measureBaselines(ctx context.Context, r *report, dir string, progress *measure.Progress) error {
	info, err := os.Stat(p.binary)
	if err != nil {
		return err
	}
	r.add(line{Operation: "binary", Measured: megabytes(info.Size()), Unit: "MB", Goal: 25})
	progress.Show(0, len(p.databases), "baselines")
	empty, err := p.measureEmpty(ctx, dir)
	if err != nil {
		return err
	}
	r.add(lineOf(emptyLine, "", empty))
	signature, err1 := p.measureSignature()
	hash, err2 := p.measureHash()
	sync, err3 := measureSync(dir)
	r.hash = hash
	r.add(line{Operation: signatureLine, Measured: signature, Unit: ofCPU})
	r.add(line{Operation: hashLine, Measured: hash, Unit: ofCPU})
	r.add(line{Operation: syncLine, Measured: sync, Unit: onClock})
	return errors.Join(err1, err2, err3)
}

// withDatabase measures on one database, and for PostgreSQL runs one.
func (p plan) withDatabase(ctx context.Context, r *report, database, dir string, progress *measure.Progress) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if database == sqlite {
		return p.measureDatabase(ctx, r, database, func(name string) (deployment, error) {
			return deployment{dir: filepath.Join(dir, name)}, nil
		}, progress)
	}
	c, err := programs.StartCluster(ctx)
	if err != nil {
		return err
	}
	err = p.measureDatabase(ctx, r, database, func(name string) (deployment, error) {
		url, err := c.Database(ctx, name)
		return deployment{filepath.Join(dir, name), url, c}, err
	}, progress)
	return errors.Join(err, c.Stop())
}

// measureDatabase measures starts on an empty database and on a full one, and then every operation on the full one.
func (p plan) measureDatabase(ctx context.Context, r *report, database string, fresh maker, progress *measure.Progress) error {
	progress.Show(0, len(operations()), database+": starts")
	if err := p.measureStarts(ctx, r, "empty", goals{60, 0}, goals{40, 0}, fresh); err != nil {
		return err
	}
	full, err := fresh("full")
	if err != nil {
		return err
	}
	if err := full.seed(ctx, p.sessions, progress); err != nil {
		return err
	}
	progress.Show(0, len(operations()), database+": logins before")
	held, err := p.stock(ctx, full)
	if err != nil {
		return err
	}
	if err := p.measureStarts(ctx, r, p.fullness(), goals{500, 0}, goals{}, func(string) (deployment, error) { return full, nil }); err != nil {
		return err
	}
	return p.measureOperations(ctx, r, full, held, progress)
}

// fullness names a database with the sessions of the plan.
func (p plan) fullness() string { return fmt.Sprintf("%d sessions", p.sessions) }

// maker makes a server's data, which are empty at first.
type maker func(name string) (deployment, error)

// measureStarts is the time from the start of the process to its first answer, and its memory soon after; one that the
// goal leaves out is left out.
func (p plan) measureStarts(ctx context.Context, r *report, what string, start, memory goals, fresh maker) error {
	var took, resident []float64
	var database string
	for n := range p.rounds {
		d, err := fresh(fmt.Sprint("empty", n))
		if err != nil {
			return err
		}
		first, bytes, err := p.startOnce(ctx, d)
		if err != nil {
			return err
		}
		database = d.database()
		took, resident = append(took, milliseconds(first)), append(resident, megabytes(bytes))
	}
	r.add(line{Operation: "start to first answer, " + what, Database: database, Measured: measure.Median(took), Unit: onClock, Goal: start.on(database)})
	if memory != (goals{}) {
		r.add(line{Operation: "resident memory, " + what, Database: database, Measured: measure.Median(resident), Unit: "MB", Goal: memory.on(database)})
	}
	return nil
}

func (p plan) startOnce(ctx context.Context, d deployment) (first time.Duration, resident int64, err error) {
	running, err := d.start(ctx, p.binary)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, running.Stop()) }()
	c := newCaller(running.Base, 1)
	defer c.close()
	if err := c.get(ctx, "/.well-known/jwks.json"); err != nil {
		return 0, 0, err
	}
	first = time.Since(running.Started)
	time.Sleep(settling)
	resident, err = programs.Resident(running.PID())
	return first, resident, err
}

// stock makes what the clients of every operation need, while the server isn't running.
func (p plan) stock(ctx context.Context, d deployment) (s stock, err error) {
	err = d.within(ctx, func(i *issuer.Issuer) error {
		s, err = newStock(ctx, i, p.clients, p.revocations()*(p.rounds+1))
		return err
	})
	return s, err
}

// revocations is how many sessions a round revokes at most, as each is issued beforehand.
func (p plan) revocations() int { return 1 + int(500*p.turn.Seconds()) }

// measureOperations runs each on one server. Its memory is looked at before the first password is hashed, which takes
// much of it for a while.
func (p plan) measureOperations(ctx context.Context, r *report, d deployment, held stock, progress *measure.Progress) (err error) {
	running, err := d.start(ctx, p.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.Stop()) }()
	w := newWorld(p, running, held)
	defer w.caller.close()
	all := operations()
	for n, o := range all {
		if !p.wants(o.name) {
			continue
		}
		progress.Show(n+1, len(all), d.database()+": "+o.name)
		measured, err := p.measureOperation(ctx, w, o, d.meter(running))
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", o.name, err), running.Tail())
		}
		r.addOperation(o, d.database(), measured)
		if !o.remembered {
			continue
		}
		resident, err := programs.Resident(running.PID())
		if err != nil {
			return err
		}
		r.add(line{Operation: "resident memory, " + p.fullness(), Database: d.database(), Measured: megabytes(resident), Unit: "MB", Goal: goals{120, 0}.on(d.database())})
	}
	return nil
}

func (p plan) measureOperation(ctx context.Context, w *world, o operation, read meter) (cost, error) {
	if o.passwords {
		if err := w.signUp(ctx); err != nil {
			return cost{}, err
		}
	}
	var limit int64
	if o.limited {
		limit = int64(p.revocations())
	}
	var beside *crowd
	if o.beside != nil {
		beside = o.beside(w)
	}
	return measureRounds(ctx, p, read, limit, o.call(w), beside)
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
