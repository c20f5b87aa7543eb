package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/jot-auth/jot/server/issuer"
)

// What may go wrong with a commit.
const (
	none        int32 = iota
	commitFails       // nothing is there
	answerLost        // everything is there, and nobody is told
)

var (
	errCommitFailed = fmt.Errorf("%w: the commit failed", issuer.ErrUnavailable)
	errAnswerLost   = fmt.Errorf("%w: the answer of the commit got lost", issuer.ErrUnavailable)
)

// troubled is a store whose next commit may go wrong.
type troubled struct {
	issuer.Store
	next atomic.Int32
}

func (s *troubled) Update(ctx context.Context, f func(issuer.Tx) error) error {
	switch s.next.Load() {
	case commitFails:
		return s.Store.Update(ctx, func(tx issuer.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			return errCommitFailed
		})
	case answerLost:
		if err := s.Store.Update(ctx, f); err != nil {
			return err
		}
		return errAnswerLost
	}
	return s.Store.Update(ctx, f)
}

func roleClaims(role string) json.RawMessage { return json.RawMessage(`{"role":"` + role + `"}`) }

func noTokens(err error) (issuer.Tokens, error) { return issuer.Tokens{}, err }

func (w *world) present(sid, token, agent string) act {
	return act{
		name: "refresh by " + agent,
		run: func(p *process) (issuer.Tokens, error) {
			return p.Refresh(w.ctx, issuer.RefreshRequest{Token: token, UserAgent: agent})
		},
		judge: func(m *model, r reply) error { return m.present(sid, token, r) },
	}
}

func (w *world) endOne(sid string) act {
	subject := w.model.sessions[sid].subject
	return act{
		name:  "logout",
		run:   func(p *process) (issuer.Tokens, error) { return noTokens(p.EndSession(w.ctx, subject, sid)) },
		judge: func(m *model, r reply) error { return m.end(sid, issuer.EndedByLogout, r) },
	}
}

func (w *world) revokeOne(sid, token string) act {
	return act{
		name:  "revocation of a refresh token",
		run:   func(p *process) (issuer.Tokens, error) { return noTokens(p.RevokeToken(w.ctx, token, "")) },
		judge: func(m *model, r reply) error { return m.end(sid, issuer.EndedByRevoke, r) },
	}
}

func (w *world) endAll(subject string) act {
	return act{
		name:  "logout everywhere",
		run:   func(p *process) (issuer.Tokens, error) { return noTokens(p.EndSessions(w.ctx, subject)) },
		judge: func(m *model, r reply) error { return m.everywhere(subject, r) },
	}
}

func (w *world) disable(subject string) act {
	return act{
		name:  "ban",
		run:   func(p *process) (issuer.Tokens, error) { return noTokens(p.DisableSubject(w.ctx, subject)) },
		judge: func(m *model, r reply) error { return m.disable(subject, r) },
	}
}

func (w *world) change(subject, role string, soft bool) act {
	change := issuer.Change{Claims: roleClaims(role), Soft: soft}
	return act{
		name:  "change of role",
		run:   func(p *process) (issuer.Tokens, error) { return noTokens(p.ChangeSubject(w.ctx, subject, change)) },
		judge: func(m *model, r reply) error { return m.change(subject, role, soft, r) },
	}
}

func drawSubject(r *rapid.T) string {
	return rapid.SampledFrom([]string{"ann", "bob"}).Draw(r, "subject")
}

func (w *world) logIn(r *rapid.T) {
	live := 0
	for _, id := range w.recent() {
		if !w.model.sessions[id].over(w.model.now) {
			live++
		}
	}
	if live == maxRecent {
		r.SkipNow()
	}
	subject := drawSubject(r)
	answer := w.do(r, act{
		name: "login",
		run: func(p *process) (issuer.Tokens, error) {
			return p.Issue(w.ctx, issuer.Grant{Subject: subject, UserAgent: "tab"})
		},
		judge: func(m *model, r reply) error { return m.logIn(subject, r) },
	})
	if answer.err == nil {
		w.logins = append(w.logins, answer.tokens.SessionID)
		w.browsers = append(w.browsers, &browser{sid: answer.tokens.SessionID, token: answer.tokens.Refresh})
	}
}

func (w *world) drawSession(r *rapid.T) string {
	if len(w.logins) == 0 {
		r.SkipNow()
	}
	return draw(r, "session", w.recent())
}

// drawToken draws one of all that a session had lately and that a client can know: more often one that is still of use.
func (w *world) drawToken(r *rapid.T, sid string) string {
	s := w.model.sessions[sid]
	known := append([]string{s.good, s.before, s.good, s.before}, s.spent[max(0, len(s.spent)-3):]...)
	return draw(r, "token", slices.DeleteFunc(known, func(token string) bool { return token == "" }))
}

// thief presents any token of a session, as one who copied it.
func (w *world) thief(r *rapid.T) {
	sid := w.drawSession(r)
	if !w.mayAttack(sid) {
		r.SkipNow()
	}
	w.attack(r, sid, w.drawToken(r, sid))
}

// mayAttack spares every other session, so that its client has nobody but itself to blame.
func (w *world) mayAttack(sid string) bool { return slices.Index(w.logins, sid)%2 == 1 }

func (w *world) attack(r *rapid.T, sid, token string) {
	w.attacked(sid)
	w.do(r, w.present(sid, token, "thief"))
}

func (w *world) attacked(sid string) {
	s := w.model.sessions[sid]
	s.attacked = true
	w.model.sessions[sid] = s
}

// everybodyAtOnce mixes clients, thieves and operators.
func (w *world) everybodyAtOnce(r *rapid.T) {
	sid := w.drawSession(r)
	w.attacked(sid)
	subject := w.model.sessions[sid].subject
	var acts []act
	for n := range rapid.IntRange(2, 4).Draw(r, "acts") {
		switch rapid.IntRange(0, 9).Draw(r, "act") {
		case 0:
			acts = append(acts, w.endOne(sid))
		case 1:
			acts = append(acts, w.change(subject, fmt.Sprintf("parallel%d", n), false))
		case 2:
			acts = append(acts, w.disable(subject))
		case 3:
			acts = append(acts, w.endAll(subject))
		default:
			acts = append(acts, w.present(sid, w.drawToken(r, sid), "parallel"))
		}
	}
	w.atOnce(r, acts)
}

func (w *world) logOut(r *rapid.T) {
	sid := w.drawSession(r)
	if rapid.Bool().Draw(r, "by refresh token") {
		w.do(r, w.revokeOne(sid, w.drawToken(r, sid)))
		return
	}
	w.do(r, w.endOne(sid))
}

func (w *world) logOutEverywhere(r *rapid.T) { w.do(r, w.endAll(drawSubject(r))) }

func (w *world) ban(r *rapid.T) {
	subject := drawSubject(r)
	if answer := w.do(r, w.disable(subject)); answer.err != nil {
		return
	}
	for _, s := range w.model.sessions { // whatever else happened before
		if s.subject == subject && s.ended == "" {
			r.Fatal(deadStaysDead.broken("a session of a banned subject goes on"))
		}
	}
}

func (w *world) liftBan(r *rapid.T) {
	subject := drawSubject(r)
	w.do(r, act{
		name:  "end of a ban",
		run:   func(p *process) (issuer.Tokens, error) { return noTokens(p.EnableSubject(w.ctx, subject)) },
		judge: func(m *model, r reply) error { return m.enable(subject, r) },
	})
}

func (w *world) changeRole(r *rapid.T) {
	subject := drawSubject(r)
	role := fmt.Sprintf("role%d", w.model.subjects[subject].generation)
	w.do(r, w.change(subject, role, rapid.Bool().Draw(r, "soft")))
}

// rotateKey changes nothing that a client sees, now or when the next key is old enough.
func (w *world) rotateKey(r *rapid.T) {
	w.do(r, act{
		name: "rotation",
		run: func(p *process) (issuer.Tokens, error) {
			_, err := p.RotateKey(w.ctx, issuer.RotateOptions{})
			return noTokens(err)
		},
		judge: func(_ *model, r reply) error {
			if errors.Is(r.err, issuer.ErrKeyLimit) {
				return nil
			}
			_, err := r.done()
			return err
		},
	})
}

func (w *world) revokeKey(r *rapid.T) {
	kid := draw(r, "key", w.processes[0].KeySet().Keys()).KeyID()
	w.do(r, act{
		name:  "emergency",
		run:   func(p *process) (issuer.Tokens, error) { return noTokens(p.RevokeKey(w.ctx, kid)) },
		judge: func(m *model, r reply) error { return m.revokeKey(kid, r) },
	})
}

func (w *world) advanceBy(d time.Duration) {
	w.clock.Advance(d)
	w.model.now = w.clock.Now()
	if d > time.Minute {
		time.Sleep(time.Minute + time.Second) // upkeep is never further behind
	}
	for _, b := range w.browsers {
		b.giveUp(w.model.now)
	}
}

// advanceToLimit passes, or just doesn't pass, one of a session's limits: most often the end of its grace window.
func (w *world) advanceToLimit(r *rapid.T) {
	sid := w.drawSession(r)
	s := w.model.sessions[sid]
	limits := []time.Time{s.idle, s.end, s.access[len(s.access)-1].expires}
	for range 7 {
		limits = append(limits, s.rotated.Add(grace))
	}
	off := time.Duration(rapid.IntRange(-1, 1).Draw(r, "off")) * time.Millisecond
	d := draw(r, "limit", limits).Add(off).Sub(w.model.now)
	if d <= 0 {
		return
	}
	w.advanceBy(d)
	if w.mayAttack(sid) && s.before != "" && rapid.Bool().Draw(r, "thief waits for it") {
		w.attack(r, sid, s.before)
	}
}

func (w *world) advanceLittle(r *rapid.T) {
	w.advanceBy(time.Duration(rapid.IntRange(1, 12_000).Draw(r, "milliseconds")) * time.Millisecond)
}

// crash ends every process without ceremony, and requests that were under way with them.
func (w *world) crash(r *rapid.T) {
	synctest.Wait()
	if err := w.database.crash(); err != nil {
		r.Fatal(err)
	}
	w.close()
	for _, b := range w.browsers {
		b.loseAll()
	}
	w.start(r)
	w.settle(r)
}

func (w *world) restart(r *rapid.T) {
	n := rapid.IntRange(0, 1).Draw(r, "process")
	old := w.processes[n]
	w.processes = slices.Delete(w.processes, n, n+1)
	old.Close()
	old.store.Close()
	w.start(r)
}
