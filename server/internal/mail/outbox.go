package mail

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxLetters   = 256
	writeTimeout = 10 * time.Second
)

// pauses are between the tries of one letter; after the last one it's given up.
var pauses = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute}

// ErrFull is an outbox that holds as many letters as it may.
var ErrFull = errors.New("mail: the outbox is full")

// Outbox holds letters until they are delivered. It's in memory: what a server that ends hasn't sent, people ask for
// again.
type Outbox struct {
	deliver func(context.Context, Message) error
	logger  *slog.Logger
	pauses  []time.Duration

	mu      sync.Mutex
	letters []*letter // in the order in which they came
	counts  Counts

	wake   chan struct{}
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// letter is one that isn't delivered yet.
type letter struct {
	write   func(context.Context) (Message, error)
	written *Message // nil before its first turn
	due     time.Time
	tries   int
}

// Open makes an outbox, whose one goroutine delivers letters one after the other until Close.
func Open(deliver func(context.Context, Message) error, logger *slog.Logger) *Outbox {
	ctx, cancel := context.WithCancel(context.Background())
	o := &Outbox{deliver: deliver, logger: logger, pauses: pauses, wake: make(chan struct{}, 1), cancel: cancel}
	o.ended.Go(func() { o.run(ctx) })
	return o
}

// Close ends the goroutine and waits for it. What wasn't delivered is lost.
func (o *Outbox) Close() error {
	o.cancel()
	o.ended.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	if left := len(o.letters); left > 0 {
		o.logger.Warn("letters weren't sent: people have to ask for them again", slog.Int("letters", left))
	}
	return nil
}

// Send takes a letter, or fails with ErrFull. write runs when it's the letter's turn, and may answer the zero Message:
// there is none.
func (o *Outbox) Send(write func(context.Context) (Message, error)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.letters) >= maxLetters {
		o.counts.Refused++
		return ErrFull
	}
	o.letters = append(o.letters, &letter{write: write})
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return nil
}

// Counts are what has become of letters.
type Counts struct {
	Waiting int // now
	Sent    int
	Retried int // tries that failed, of letters that were tried again
	Lost    int // given up
	Refused int // for which there was no room
}

// Counts returns what has become of letters.
func (o *Outbox) Counts() Counts {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts := o.counts
	counts.Waiting = len(o.letters)
	return counts
}

func (o *Outbox) run(ctx context.Context) {
	for ctx.Err() == nil {
		next, wait := o.next(time.Now())
		if next != nil {
			o.turn(ctx, next)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-o.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// next is the first letter that is due, or how long to wait for one.
func (o *Outbox) next(now time.Time) (*letter, time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	wait := time.Hour
	for _, l := range o.letters {
		if !l.due.After(now) {
			return l, 0
		}
		wait = min(wait, l.due.Sub(now))
	}
	return nil, wait
}

// turn tries to deliver a letter, and says what becomes of it.
func (o *Outbox) turn(ctx context.Context, l *letter) {
	err := o.try(ctx, l)
	if err != nil && ctx.Err() != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	l.tries++
	if err != nil && !permanent(err) && l.tries <= len(o.pauses) {
		o.counts.Retried++
		l.due = time.Now().Add(o.pauses[l.tries-1])
		o.logger.Warn("a letter couldn't be sent; it's tried again", slog.Int("try", l.tries), slog.String("error", l.describe(err)))
		return
	}
	o.letters = slices.DeleteFunc(o.letters, func(other *letter) bool { return other == l })
	switch {
	case err != nil:
		o.counts.Lost++
		o.logger.Error("a letter couldn't be sent and is given up", slog.Int("try", l.tries), slog.String("error", l.describe(err)))
	case l.written.To != "":
		o.counts.Sent++
	}
}

func (o *Outbox) try(ctx context.Context, l *letter) error {
	if l.written == nil {
		ctx, cancel := context.WithTimeout(ctx, writeTimeout)
		defer cancel()
		m, err := l.write(ctx)
		if err != nil {
			return err
		}
		l.written = &m
	}
	if l.written.To == "" {
		return nil
	}
	return o.deliver(ctx, *l.written)
}

// describe is an error without the address, which many a server repeats: the log names nobody.
func (l *letter) describe(err error) string {
	if l.written == nil || l.written.To == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), l.written.To, "(address)")
}
