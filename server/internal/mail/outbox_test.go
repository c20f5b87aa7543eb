package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// collector delivers letters to a channel, after failing as often as it is told to.
type collector struct {
	got      chan Message
	failures chan error
}

func newCollector(failures ...error) *collector {
	c := &collector{make(chan Message, 2*maxLetters), make(chan error, len(failures))}
	for _, err := range failures {
		c.failures <- err
	}
	return c
}

func (c *collector) deliver(_ context.Context, m Message) error {
	select {
	case err := <-c.failures:
		return err
	default:
	}
	c.got <- m
	return nil
}

// open opens an outbox that tries again at once, and its log.
func open(t *testing.T, deliver func(context.Context, Message) error) (*Outbox, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	o := Open(deliver, slog.New(slog.NewTextHandler(log, nil)))
	o.mu.Lock()
	o.pauses = []time.Duration{time.Millisecond, time.Millisecond}
	o.mu.Unlock()
	t.Cleanup(func() { o.Close() })
	return o, log
}

func written(m Message) func(context.Context) (Message, error) {
	return func(context.Context) (Message, error) { return m, nil }
}

// TestOutboxTriesAgain, without writing the letter again: its code is made once.
func TestOutboxTriesAgain(t *testing.T) {
	c := newCollector(errors.New("no route to ada@example.com"), errors.New("none"))
	o, log := open(t, c.deliver)
	writes := 0
	if err := o.Send(func(context.Context) (Message, error) { writes++; return hello, nil }); err != nil {
		t.Fatal(err)
	}
	if got := <-c.got; got != hello {
		t.Errorf("got %+v", got)
	}
	o.Close()
	if writes != 1 || strings.Contains(log.String(), "ada@") || strings.Count(log.String(), "tried again") != 2 {
		t.Errorf("%d writes, log %s", writes, log)
	}
	if counts := o.Counts(); counts != (Counts{Sent: 1, Retried: 2}) {
		t.Error(counts)
	}
}

// TestOutboxGivesUp what the server will never take at once, and what it didn't take for long in the end; the next
// letter goes out.
func TestOutboxGivesUp(t *testing.T) {
	never := fmt.Errorf("RCPT: %w", &textproto.Error{Code: 550, Msg: "<ada@example.com> unknown"})
	later := &textproto.Error{Code: 451, Msg: "later"}
	for name, failures := range map[string][]error{"never": {never}, "not now": {later, later, later}} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(failures...)
			o, log := open(t, c.deliver)
			next := Message{To: "bob@example.com", Subject: "b"}
			if err := o.Send(written(hello)); err != nil {
				t.Fatal(err)
			}
			for o.Counts().Lost == 0 {
				time.Sleep(time.Millisecond)
			}
			if err := o.Send(written(next)); err != nil {
				t.Fatal(err)
			}
			if got := <-c.got; got != next {
				t.Errorf("got %+v", got)
			}
			o.Close()
			if !strings.Contains(log.String(), "given up") || strings.Contains(log.String(), "ada@") {
				t.Errorf("log %s", log)
			}
		})
	}
}

// TestOutboxIsBounded: what is too much is refused, and a letter that there is none of takes no delivery.
func TestOutboxIsBounded(t *testing.T) {
	c := newCollector()
	held := make(chan struct{})
	var once sync.Once
	release := func() { once.Do(func() { close(held) }) }
	defer release()
	o, _ := open(t, c.deliver)
	for n := range maxLetters {
		if err := o.Send(func(context.Context) (Message, error) { <-held; return Message{}, nil }); err != nil {
			t.Fatal(n, err)
		}
	}
	if err := o.Send(written(hello)); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	release()
	for o.Counts().Waiting > 0 {
		time.Sleep(time.Millisecond)
	}
	if counts := o.Counts(); counts != (Counts{Refused: 1}) || len(c.got) != 0 {
		t.Error(counts, len(c.got))
	}
}

// TestCloseEndsADelivery that would take long.
func TestCloseEndsADelivery(t *testing.T) {
	began := make(chan struct{})
	o, log := open(t, func(ctx context.Context, _ Message) error {
		close(began)
		<-ctx.Done()
		return ctx.Err()
	})
	if err := o.Send(written(hello)); err != nil {
		t.Fatal(err)
	}
	<-began
	o.Close()
	if !strings.Contains(log.String(), "letters=1") {
		t.Errorf("log %s", log)
	}
}
