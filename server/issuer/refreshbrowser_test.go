package issuer_test

import (
	"errors"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/jot-auth/jot/server/issuer"
)

// tryTimeout is when a client gives a request up and a server stops working at it: twice of it is within the grace
// window.
const tryTimeout = 15 * time.Second

// browser is a client that keeps its side of the bargain. Its tabs share one store. A tab may present the token in the
// store while another one does; but after a try without an answer one tries at a time, and nobody presents a new token
// while a request with an older one is under way. The latest answer wins.
type browser struct {
	sid, token string
	tries      []*try
	failed     bool // the token in the store was tried, and no answer came
}

// try is a request under way: sent, decided when it has an answer, and then arrived or lost.
type try struct {
	token, answer string
	sent          time.Time
}

func (b *browser) maySend() bool {
	older := slices.ContainsFunc(b.tries, func(t *try) bool { return t.token != b.token })
	return !older && (len(b.tries) == 0 || !b.failed)
}

func (b *browser) send(now time.Time) *try {
	t := &try{token: b.token, sent: now}
	b.tries = append(b.tries, t)
	return t
}

func (b *browser) arrive(t *try) {
	b.token, b.failed = t.answer, false
	b.drop(t)
}

func (b *browser) lose(t *try) {
	b.failed = b.failed || t.token == b.token
	b.drop(t)
}

func (b *browser) drop(t *try) {
	b.tries = slices.DeleteFunc(b.tries, func(other *try) bool { return other == t })
}

func (b *browser) giveUp(now time.Time) {
	for _, t := range slices.Clone(b.tries) {
		if now.Sub(t.sent) > tryTimeout {
			b.lose(t)
		}
	}
}

func (b *browser) loseAll() {
	for _, t := range slices.Clone(b.tries) {
		b.lose(t)
	}
}

// choose returns the tries that are decided, or those that aren't.
func (b *browser) choose(decided bool) []*try {
	return slices.DeleteFunc(slices.Clone(b.tries), func(t *try) bool { return (t.answer != "") != decided })
}

func (w *world) drawBrowser(r *rapid.T) *browser {
	if len(w.browsers) == 0 {
		r.SkipNow()
	}
	return draw(r, "browser", w.browsers)
}

// tab does the next thing that one of a browser's tabs may do.
func (w *world) tab(r *rapid.T) {
	b := w.drawBrowser(r)
	moves := map[string]func(){}
	if b.maySend() {
		moves["send"] = func() { b.send(w.model.now) }
	}
	if waiting := b.choose(false); len(waiting) > 0 {
		moves["decide"] = func() { w.decide(r, b, draw(r, "try", waiting)) }
	}
	if decided := b.choose(true); len(decided) > 0 {
		moves["arrive"] = func() { b.arrive(draw(r, "try", decided)) }
		moves["lose"] = func() { b.lose(draw(r, "try", decided)) }
	}
	names := slices.DeleteFunc([]string{"send", "decide", "arrive", "lose"}, func(name string) bool { return moves[name] == nil })
	moves[draw(r, "move", names)]()
}

func (w *world) wholeRefresh(r *rapid.T) {
	b := w.drawBrowser(r)
	if !b.maySend() {
		r.SkipNow()
	}
	t := b.send(w.model.now)
	if w.decide(r, b, t); t.answer != "" {
		b.arrive(t)
	}
}

// decide lets the issuer answer a try.
func (w *world) decide(r *rapid.T, b *browser, t *try) {
	w.answer(r, b, t, w.do(r, w.present(b.sid, t.token, "tab")))
}

func (w *world) answer(r *rapid.T, b *browser, t *try, got reply) {
	switch {
	case got.err == nil:
		t.answer = got.tokens.Refresh
	case errors.Is(got.err, issuer.ErrInvalidGrant):
		w.checkBargain(r, b)
		w.browsers = slices.DeleteFunc(w.browsers, func(other *browser) bool { return other == b })
	default:
		b.lose(t)
	}
}

// checkBargain: somebody or something else must have ended the session of a browser that is logged out.
func (w *world) checkBargain(r *rapid.T, b *browser) {
	s := w.model.sessions[b.sid]
	endedByOthers := s.ended != "" && s.ended != issuer.EndedByReuse
	if expired := !w.model.now.Before(s.idle) || s.lastSecond(w.model.now); !endedByOthers && !expired && !s.attacked {
		r.Fatal(theBargain.broken("session %s, ended by %q", b.sid, s.ended))
	}
}

// tabsAtOnce lets several tabs present the token in the store at the same time, with nobody else about.
func (w *world) tabsAtOnce(r *rapid.T) {
	b := w.drawBrowser(r)
	if len(b.tries) > 0 || b.failed {
		r.SkipNow()
	}
	var acts []act
	for range rapid.IntRange(2, 4).Draw(r, "tabs") {
		b.send(w.model.now)
		acts = append(acts, w.present(b.sid, b.token, "tab"))
	}
	tries := slices.Clone(b.tries)
	for n, got := range w.atOnce(r, acts) {
		w.answer(r, b, tries[n], got)
	}
}
