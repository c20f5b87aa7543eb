package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	heartbeat   = time.Second
	lookTimeout = 5 * time.Second // for one look at the log

	// Between two frames there is a gap: what is revoked meanwhile shares the second one. Every frame costs every
	// stream a write, so the more streams there are, the wider it is; it's the most that a gap adds to the delay of a
	// rule.
	minGap, gapOfStream, maxGap = 5 * time.Millisecond, 25 * time.Microsecond, 50 * time.Millisecond
)

var (
	errClosed   = fmt.Errorf("feed: closed: %w", issuer.ErrUnavailable)
	errRewound  = fmt.Errorf("feed: the log is not the one of before: %w", issuer.ErrUnavailable)
	errOtherLog = errors.New("feed: another log, or beyond its head")
	errTooOld   = errors.New("feed: too far behind")
)

// frame is one event of the stream, shared by all connections and never changed, and the way to the next.
type frame struct {
	number uint64
	data   []byte
	next   *frame
	ready  chan struct{} // closed when next is there
}

// join is a connection's wish for a first frame.
type join struct {
	log          string
	after        uint64
	nonce        string
	verifier     string
	maxStaleness time.Duration
	poll         bool        // for one look, not for a stream
	answer       chan joined // with room for the answer
}

// joined is the answer to a join. The connection makes its own first frame of it, since that may take long: the hub has
// others to serve.
type joined struct {
	rules []revocation.Rule
	head  revocation.Statement // that they lead to
	frame *frame               // the frames after this one follow
	ended <-chan struct{}      // closed when the stream has to end
	err   error
}

// hub follows the log and makes the frames. Its goroutine owns all of it but the channels and counters.
type hub struct {
	issuer  Issuer
	asker   *registry
	logger  *slog.Logger
	streams *atomic.Int64 // how many connections there are or want to be
	newest  atomic.Uint64 // number of the last frame

	joins chan join
	ends  chan struct{}
	stop  context.CancelFunc
	done  chan struct{}

	tail   tail
	last   *frame
	told   time.Time         // of the last statement to all, on the issuer's clock
	sent   time.Time         // when that was, on ours
	asked  revocation.Cursor // up to where all streams were asked for acknowledgements
	leaps  leaps
	ended  chan struct{}
	failed bool
}

func startHub(i Issuer, asker *registry, streams *atomic.Int64, logger *slog.Logger) *hub {
	ctx, stop := context.WithCancel(context.Background())
	h := &hub{
		issuer: i, asker: asker, logger: logger, streams: streams, stop: stop,
		joins: make(chan join), ends: make(chan struct{}), done: make(chan struct{}),
		last: &frame{ready: make(chan struct{})}, ended: make(chan struct{}),
	}
	go h.run(ctx)
	return h
}

func (h *hub) close() {
	h.stop()
	<-h.done
}

func (h *hub) endStreams() {
	select {
	case h.ends <- struct{}{}:
	case <-h.done:
	}
}

// join asks for a first frame and waits for it.
func (h *hub) join(ctx context.Context, j join) (joined, error) {
	j.answer = make(chan joined, 1)
	select {
	case h.joins <- j:
	case <-h.done:
		return joined{}, errClosed
	case <-ctx.Done():
		return joined{}, ctx.Err()
	}
	select {
	case answer := <-j.answer:
		return answer, answer.err
	case <-h.done:
		return joined{}, errClosed
	case <-ctx.Done():
		return joined{}, ctx.Err()
	}
}

func (h *hub) run(ctx context.Context) {
	defer close(h.done)
	defer h.endAll()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	var waiting []join
	for ctx.Err() == nil {
		changed, tick := h.issuer.LogChanged(), beat.C // before the log is read, so that nothing is missed
		h.turn(ctx, waiting)
		waiting = waiting[:0]
		if h.streams.Load() == 0 { // nobody listens
			changed, tick = nil, nil
		}
		select {
		case <-changed:
			pause(ctx, h.gap()-time.Since(h.sent))
		case <-tick:
		case <-h.asker.asks:
		case j := <-h.joins:
			waiting = h.gather(append(waiting, j))
		case <-h.ends:
			h.endAll()
		case <-ctx.Done():
		}
	}
}

// gather takes in those who want to join at the same time: one look at the log serves them all.
func (h *hub) gather(waiting []join) []join {
	for {
		select {
		case j := <-h.joins:
			waiting = append(waiting, j)
		default:
			return waiting
		}
	}
}

// gap is how much time lies between two frames at least.
func (h *hub) gap() time.Duration {
	return min(max(minGap, time.Duration(h.streams.Load())*gapOfStream), maxGap)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// turn looks at the log, sends a frame to all streams and a first one to each that joins.
func (h *hub) turn(ctx context.Context, waiting []join) {
	if h.streams.Load() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	now, err := h.look(ctx)
	h.report(err)
	for _, j := range waiting {
		answer := joined{err: err}
		if err == nil {
			answer = h.answer(j, now)
		}
		j.answer <- answer
	}
}

// report logs the first failure of several, and the end of them.
func (h *hub) report(err error) {
	switch {
	case errors.Is(err, context.Canceled): // the hub is closed
		return
	case err != nil && !h.failed:
		h.logger.Error("revocation feed stands still", slog.Any("error", err))
	case err == nil && h.failed:
		h.logger.Info("revocation feed goes on")
	}
	h.failed = err != nil
}

// look reads what is new in the log and publishes it, or a heartbeat. It returns the time up to which
// the log is known, at least.
func (h *hub) look(ctx context.Context) (time.Time, error) {
	before := time.Now()
	now, err := h.issuer.Now(ctx) // before the log is read: the time must not promise more than was read
	if err != nil {
		return now, err
	}
	if h.leaps.notice(now, before, time.Now()) {
		h.endAll() // before anything bears the new time
	}
	if h.tail.head.LogID == "" {
		if err := h.load(ctx, now); err != nil {
			return now, err
		}
	}
	for {
		before := h.tail.head
		rules, head, err := h.issuer.LogEntries(ctx, before.Sequence, revocation.MaxFrameRules)
		if errors.Is(err, issuer.ErrSwept) { // nobody has listened for so long that the log goes back less far
			h.tail = tail{}
			h.endAll()
			return now, h.load(ctx, now)
		}
		if err != nil && !errors.Is(err, issuer.ErrNotFound) {
			return now, err
		}
		next := h.tail.with(rules)
		if err != nil || next.head != head {
			return now, h.abandon()
		}
		last, told := len(rules) < revocation.MaxFrameRules, h.told
		if last {
			told = now
		}
		if len(rules) > 0 || time.Since(h.sent) > heartbeat/2 || h.asks(next.head) {
			err = h.publish(ctx, rules, next, told)
		}
		if err != nil || last {
			return now, err
		}
	}
}

// load finds the head of the log, and the rules before it.
func (h *hub) load(ctx context.Context, now time.Time) error {
	head, err := h.issuer.LogHead(ctx)
	if err != nil {
		return err
	}
	before := tail{head: head}
	if size := min(head.Sequence, revocation.MaxFrameRules); size > 0 {
		var reached revocation.Head
		before.rules, reached, err = h.issuer.LogEntries(ctx, head.Sequence-size, int(size))
		if err == nil && reached != head {
			err = errRewound
		}
	}
	if err != nil {
		return err
	}
	h.tail, h.told = before, now
	return nil
}

// abandon ends the streams of a log that was rewound or rewritten under them. The next turn begins anew;
// that it isn't the log of before is for the readers to find out.
func (h *hub) abandon() error {
	h.tail = tail{}
	h.endAll()
	return errRewound
}

func (h *hub) endAll() {
	close(h.ended)
	h.ended = make(chan struct{})
}

// publish makes the frame for all streams that leads to another tail. Until it is made the hub stays
// where it was, and the next look makes it. While one look takes several frames, only the last of them may
// promise its time: those before lack rules, and repeat the promise that stood.
func (h *hub) publish(ctx context.Context, rules []revocation.Rule, to tail, told time.Time) error {
	asks := h.asks(to.head)
	data, err := h.encode(ctx, rules, revocation.Statement{Head: to.head, Time: told, Acknowledge: asks})
	if err != nil {
		return err
	}
	h.tail, h.told = to, told
	if asks {
		h.asked = to.head.Cursor()
	}
	next := &frame{number: h.last.number + 1, data: data, ready: make(chan struct{})}
	h.newest.Store(next.number) // before anybody can have it
	h.last.next = next
	close(h.last.ready)
	h.last, h.sent = next, time.Now()
	return nil
}

// answer says what the first frame of a connection holds.
func (h *hub) answer(j join, now time.Time) joined {
	if j.log != h.tail.head.LogID || j.after > h.tail.head.Sequence {
		return joined{err: errOtherLog}
	}
	rules, ok := h.tail.since(j.after)
	if !ok {
		return joined{err: errTooOld}
	}
	head := revocation.Statement{Head: h.tail.head, Time: now, Nonce: j.nonce, Acknowledge: h.asker.owes(j.verifier)}
	return joined{rules: rules, head: head, frame: h.last, ended: h.ended}
}

// asks reports whether the frame of a head has to ask all streams for acknowledgements: it is the first that reaches
// what somebody waits for.
func (h *hub) asks(head revocation.Head) bool {
	question := h.asker.question()
	return question.LogID != "" && head.Cursor().Covers(question) && !h.asked.Covers(question)
}

// encode signs a statement and makes the event of the rules that lead to its head. Every connection may call it.
func (h *hub) encode(ctx context.Context, rules []revocation.Rule, s revocation.Statement) ([]byte, error) {
	s.MaxTTL = h.issuer.MaxTTL()
	signed, err := s.Sign(ctx, h.issuer.FeedSigner(), h.issuer.URL())
	if err != nil {
		return nil, err
	}
	return revocation.Frame{Sequence: s.Sequence, Rules: rules, Statement: signed}.AppendTo(nil)
}
