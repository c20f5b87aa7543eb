package issuer_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// machineChecks and machineSteps bound the random histories of one run. `go test -run TestRefreshMachine
// ./server/issuer -rapid.checks=5000` walks more; a failure prints the seed that walks it again.
const (
	machineChecks = 15
	machineSteps  = 60
	maxRecent     = 4
)

// database is one that a check has for itself.
type database struct {
	open  func(context.Context) (issuer.Store, error) // as one more process does
	crash func() error                                // leaves what a crash at this moment leaves, for those who open it next
}

// TestRefreshMachine holds the issuer, on every store, against the plain model in refreshmodel_test.go: random
// histories of what clients, thieves, operators and broken machines do, over two servers that share a database.
func TestRefreshMachine(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { checkRefreshMachine(t, sqliteDatabase) })
}

func checkRefreshMachine(t *testing.T, create func(t *testing.T, now func() time.Time) database) {
	setDefaultFlag("rapid.checks", fmt.Sprint(machineChecks))
	setDefaultFlag("rapid.steps", fmt.Sprint(machineSteps))
	setDefaultFlag("rapid.nofailfile", "true") // the seed is enough
	rapid.Check(t, func(r *rapid.T) {
		inBubble(t, r, func(t *testing.T) {
			w := newWorld(t, r, create)
			defer w.close()
			r.Repeat(w.actions())
			w.settle(r)
		})
	})
}

// setDefaultFlag sets a flag of rapid's unless the command line did.
func setDefaultFlag(name, value string) {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if !given {
		flag.Set(name, value)
	}
}

// inBubble runs f in a bubble, where upkeep takes place when the machine sleeps, and hands on how it ended: rapid ends
// a check by a panic.
func inBubble(t *testing.T, r *rapid.T, f func(*testing.T)) {
	var ended any
	synctest.Test(t, func(t *testing.T) {
		defer func() { ended = recover() }()
		f(t)
	})
	if r.Failed() {
		t.Logf("found: %v", ended) // what rapid makes of it may differ, where goroutines race
	}
	if ended != nil {
		panic(ended)
	}
}

func sqliteDatabase(t *testing.T, now func() time.Time) database {
	path := filepath.Join(t.TempDir(), "0", "jot.db")
	return database{
		open: func(ctx context.Context) (issuer.Store, error) {
			return sqlstore.Open(ctx, path, sqlstore.Options{Now: now, Readers: 2})
		},
		crash: func() error {
			image := filepath.Join(t.TempDir(), "jot.db")
			err := errors.Join(copyFile(path, image), copyFile(path+"-wal", image+"-wal"))
			path = image
			return errors.Join(err, os.Chmod(filepath.Dir(image), 0o700))
		},
	}
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// process is one of the servers over the database.
type process struct {
	*issuer.Issuer
	store *troubled
}

// world is what a check knows: the issuer in its processes, the clients, and the model.
type world struct {
	ctx       context.Context
	config    issuer.Config
	clock     *clock
	database  database
	processes []*process
	browsers  []*browser
	logins    []string // session IDs, oldest first
	model     *model
	stored    observation               // after the last step
	published map[string]*jot.PublicKey // every signing key that there ever was
}

func newWorld(t *testing.T, r *rapid.T, create func(*testing.T, func() time.Time) database) *world {
	w := &world{ctx: t.Context(), config: config(), clock: newClock(), published: map[string]*jot.PublicKey{}}
	w.config.Now = w.clock.Now
	w.config.AccessTTL, w.config.IdleTTL, w.config.AbsoluteTTL, w.config.RefreshGrace = 5*time.Minute, 20*time.Minute, 25*time.Minute, grace
	w.config.KeySetMaxAge, w.config.KeyLifetime = time.Minute, 10*time.Minute
	w.database = create(t, w.clock.Now)
	w.model = newModel(w.config, w.clock.Now())
	w.start(r)
	for _, subject := range []string{"ann", "bob"} {
		s := issuer.Subject{ID: subject, Claims: roleClaims("first"), Scope: []string{"pets:read"}}
		if err := w.processes[0].CreateSubject(w.ctx, s); err != nil {
			r.Fatal(err)
		}
		w.model.subjects[subject] = person{generation: 1, role: "first"}
	}
	return w
}

func (w *world) start(r *rapid.T) {
	for range 2 - len(w.processes) {
		store, err := w.database.open(w.ctx)
		if err != nil {
			r.Fatal(err)
		}
		p := &process{store: &troubled{Store: store}}
		if p.Issuer, err = issuer.New(w.ctx, p.store, w.config); err != nil {
			r.Fatal(errors.Join(err, store.Close()))
		}
		w.processes = append(w.processes, p)
	}
}

func (w *world) close() {
	for _, p := range w.processes {
		p.Close()
		p.store.Close()
	}
	w.processes = nil
}

// actions are what may happen, with how often it does.
func (w *world) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){"": w.check}
	for _, a := range []struct {
		name   string
		weight int
		action func(*rapid.T)
	}{
		{"log in", 3, w.logIn}, {"tab", 4, w.tab}, {"whole refresh", 4, w.wholeRefresh}, {"tabs at once", 2, w.tabsAtOnce},
		{"thief", 5, w.thief}, {"everybody at once", 2, w.everybodyAtOnce},
		{"a little time", 3, w.advanceLittle}, {"time up to a limit", 5, w.advanceToLimit},
		{"change of role", 2, w.changeRole}, {"end of a ban", 2, w.liftBan}, {"something rare", 2, w.somethingRare},
	} {
		for n := range a.weight {
			actions[fmt.Sprint(a.name, " ", n)] = a.action
		}
	}
	return actions
}

func (w *world) somethingRare(r *rapid.T) {
	draw(r, "rare", []func(*rapid.T){w.logOut, w.logOutEverywhere, w.ban, w.rotateKey, w.revokeKey, w.crash, w.restart, w.settle})(r)
}

// recent are the sessions that things still happen to.
func (w *world) recent() []string { return w.logins[max(0, len(w.logins)-maxRecent):] }

// act is something that is done to the issuer, and what the model says of the answer.
type act struct {
	name  string
	run   func(*process) (issuer.Tokens, error)
	judge func(*model, reply) error
}

// do carries out one act on one of the processes, whose commit may go wrong.
func (w *world) do(r *rapid.T, a act) reply {
	p := draw(r, "process", w.processes)
	p.store.next.Store(draw(r, "trouble", []int32{none, none, none, none, none, none, none, none, commitFails, answerLost}))
	before := w.model.clone()
	answer := p.try(a)
	p.store.next.Store(none)
	synctest.Wait()
	if err := a.judge(w.model, answer); err != nil {
		r.Fatalf("%s: %v", a.name, err)
	}
	reused := w.model.events[issuer.EventRefreshReused] - before.events[issuer.EventRefreshReused]
	if refused := errors.Is(answer.err, issuer.ErrInvalidGrant) && reused == 0; refused || answer.nothingHappened() {
		if after := w.observe(r); !reflect.DeepEqual(w.stored, after) {
			r.Fatal(unchanged.broken("%s was answered with %v; before\n%+v\nafter\n%+v", a.name, answer.err, w.stored, after))
		}
	}
	w.checkRefusedAtOnce(r, p, before)
	return answer
}

func (p *process) try(a act) reply {
	tokens, err := a.run(p)
	return reply{err, errors.Is(err, errAnswerLost), tokens}
}

// checkRefusedAtOnce: what an act took out of use is refused by its own process when it is answered.
func (w *world) checkRefusedAtOnce(r *rapid.T, p *process, before *model) {
	for id, s := range before.sessions {
		for _, token := range s.access {
			was, _ := before.accepts(s, token)
			is, _ := w.model.accepts(w.model.sessions[id], token)
			if was && !is && p.Verifier().Check(w.ctx, token.raw) == nil {
				r.Fatal(accessRefused.broken("an access token of session %s is still accepted where that was decided", id))
			}
		}
	}
}

// observation is what is stored: everything that a refusal must leave alone.
type observation struct {
	Sessions map[string]issuer.Session
	Subjects map[string]issuer.Subject
	Events   map[issuer.EventKind]int
	Head     revocation.Head
}

func (w *world) observe(r *rapid.T) observation {
	o := observation{map[string]issuer.Session{}, map[string]issuer.Subject{}, map[issuer.EventKind]int{}, revocation.Head{}}
	for _, id := range w.recent() {
		s, err := w.processes[0].Session(w.ctx, id)
		if errors.Is(err, issuer.ErrNotFound) && w.model.sessions[id].over(w.model.now) {
			continue // swept
		}
		o.Sessions[id] = must(s, err)(r)
	}
	err := w.processes[0].store.View(w.ctx, func(stored issuer.Reader) (err error) {
		for id := range w.model.subjects {
			o.Subjects[id] = must(stored.Subject(id))(r)
		}
		for _, e := range must(stored.Events(issuer.EventFilter{}, 0, 1000))(r) {
			if e.Kind != issuer.EventKeyRotated { // which upkeep does by itself
				o.Events[e.Kind]++
			}
		}
		o.Head, err = stored.LogHead()
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return o
}

// agrees says whether what is stored is what the model expects.
func (o observation) agrees(m *model) error {
	for id, s := range o.Sessions {
		if want := m.sessions[id].ended; s.EndReason != want {
			return durable.broken("session %s ended by %q, want %q", id, s.EndReason, want)
		}
	}
	for id, s := range o.Subjects {
		if p := m.subjects[id]; s.Generation != p.generation || s.Disabled != p.disabled || string(s.Claims) != string(roleClaims(p.role)) {
			return durable.broken("subject %s is %+v, want %+v", id, s, p)
		}
	}
	for _, kind := range []issuer.EventKind{issuer.EventReplyLost, issuer.EventRefreshReused, issuer.EventDatabaseRewound} {
		if o.Events[kind] != m.events[kind] {
			return durable.broken("%d events %s, want %d", o.Events[kind], kind, m.events[kind])
		}
	}
	return nil
}

func must[T any](value T, err error) func(*rapid.T) T {
	return func(r *rapid.T) T {
		r.Helper()
		if err != nil {
			r.Fatal(err)
		}
		return value
	}
}

func draw[T any](r *rapid.T, name string, list []T) T {
	return list[rapid.IntRange(0, len(list)-1).Draw(r, name)]
}

// check holds what is stored against the model, after each step.
func (w *world) check(r *rapid.T) {
	synctest.Wait()
	w.stored = w.observe(r)
	for _, p := range w.processes {
		for _, key := range p.KeySet().Keys() {
			w.published[key.KeyID()] = key
		}
	}
	if err := w.stored.agrees(w.model); err != nil {
		r.Fatal(err)
	}
}

// settle waits until every process has heard of what the others did, and holds each verdict on each access token
// against the model: those of the processes, and those of verifiers elsewhere that still hold every key that there ever
// was.
func (w *world) settle(r *rapid.T) {
	time.Sleep(time.Minute + time.Second)
	synctest.Wait()
	for _, p := range w.processes {
		elsewhere := must(jot.NewVerifier(jot.NewKeySet(slices.Collect(maps.Values(w.published))...), jot.VerifierOptions{
			Issuer: w.config.URL, AnyAudience: true, Type: "at+jwt", Now: w.clock.Now, Revocation: p.Issuer,
		}))(r)
		for _, id := range w.recent() {
			s := w.model.sessions[id]
			for _, token := range s.access[max(0, len(s.access)-4):] {
				w.checkVerdict(r, s, token, p.Verifier())
				w.checkVerdict(r, s, token, elsewhere)
			}
		}
	}
}

func (w *world) checkVerdict(r *rapid.T, s login, token accessToken, verifier *jot.Verifier) {
	want, advised := w.model.accepts(s, token)
	got, err := verifier.Verify(w.ctx, token.raw)
	if (err == nil) != want {
		r.Fatal(accessRefused.broken("an access token of a session ended by %q: error %v, want one: %v", s.ended, err, !want))
	}
	if err == nil && got.RefreshAdvised() != advised {
		r.Fatalf("advice to refresh: %v, want %v", got.RefreshAdvised(), advised)
	}
}

// atOnce carries out several acts at the same time, spread over the processes. Their answers must be what some order of
// them, one after the other, would give.
func (w *world) atOnce(r *rapid.T, acts []act) []reply {
	replies := make([]reply, len(acts))
	var wait sync.WaitGroup
	for n, a := range acts {
		p := draw(r, "process", w.processes)
		wait.Go(func() { replies[n] = p.try(a) })
	}
	wait.Wait()
	synctest.Wait()
	after, err := explain(w.model, acts, replies, w.observe(r).agrees)
	if err != nil {
		r.Fatalf("no order of %d acts at once explains their answers: %v", len(acts), err)
	}
	w.model = after
	return replies
}

// explain finds an order in which the model gives these answers and ends as it did, and returns where that leads to.
func explain(m *model, acts []act, replies []reply, agrees func(*model) error) (*model, error) {
	if len(acts) == 0 {
		return m, agrees(m)
	}
	var errs []error
	for n, a := range acts {
		next := m.clone()
		err := a.judge(next, replies[n])
		if err == nil {
			others, answers := slices.Delete(slices.Clone(acts), n, n+1), slices.Delete(slices.Clone(replies), n, n+1)
			if next, err = explain(next, others, answers, agrees); err == nil {
				return next, nil
			}
		}
		errs = append(errs, fmt.Errorf("%s: %w", a.name, err))
	}
	return nil, errs[0]
}
