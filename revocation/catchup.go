package revocation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jot-auth/jot"
)

// takeSnapshot loads a snapshot into a set of its own, which answers nothing until the stream has
// proven that it is fresh.
func (r *Reader) takeSnapshot(ctx context.Context) error {
	s, set, err := r.stored.load(ctx, r.verifier, r.options.MaxRules)
	if errors.Is(err, jot.ErrUnavailable) {
		return err
	}
	if r.tell(err); set == nil {
		s, set, err = r.readSnapshot(ctx)
	}
	if err != nil {
		return err
	}
	if err := r.history.checkSnapshot(s.Head); err != nil {
		return err
	}
	if err := set.Apply(r.history.revokedKeys()...); err != nil {
		return err
	}
	r.history.noteSnapshot(s.Head)
	r.cursor, r.swept = newCursor(s.Head, set, r.history.high), s.Time // the issuer left out what had expired by then
	return nil
}

// readSnapshot gets a snapshot from the feed.
func (r *Reader) readSnapshot(ctx context.Context) (s Statement, set *Set, err error) {
	var text bytes.Buffer
	err = r.download(ctx, r.client.snapshot, func(ctx context.Context, body io.Reader) error {
		if r.options.SnapshotFile != "" {
			body = io.TeeReader(body, &text)
		}
		s, set, err = ReadSnapshot(ctx, body, r.verifier, r.options.MaxRules)
		return err
	})
	if err == nil {
		r.stored.offer(s.Head, text.Bytes())
	}
	return s, set, err
}

// download reads an answer that may be long, and gives up when nothing more of it comes.
func (r *Reader) download(ctx context.Context, ask func(context.Context) (io.ReadCloser, error), read func(context.Context, io.Reader) error) error {
	ctx, expire := context.WithTimeout(ctx, snapshotTimeout)
	defer expire()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(snapshotSilence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	body, err := ask(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	return read(ctx, &lively{body, watchdog})
}

// takeSegments goes on by whole segments, as far as there are any. They count when the stream has proven where they
// lead.
func (r *Reader) takeSegments(ctx context.Context) error {
	c := r.cursor
	for len(c.pending) < MaxSegments*SegmentRules {
		number := c.head.Sequence / SegmentRules
		var rules []Rule
		err := r.download(ctx, func(ctx context.Context) (io.ReadCloser, error) { return r.client.segment(ctx, c.head.LogID, number) },
			func(_ context.Context, body io.Reader) (err error) {
				rules, err = ReadSegment(body)
				return err
			})
		var link *linkError
		switch {
		case errors.Is(err, errNoSegment):
			return nil
		case errors.As(err, &link):
			return err
		case err != nil: // a cache may keep what it has for ever: go around it
			return fmt.Errorf("%w: %v", errElsewhere, err)
		}
		if err := c.extend(rules[c.head.Sequence%SegmentRules:]); err != nil {
			return err
		}
	}
	return errElsewhere
}

// catchUp follows the frames, after as many segments as it takes to come near them.
func (r *Reader) catchUp(ctx context.Context) (frames int, err error) {
	for {
		frames, err = r.takeFrames(ctx)
		if frames == 0 && errors.Is(err, errSilent) && !r.way.polls {
			return 0, &linkError{errMute}
		}
		if !errors.Is(err, errBehind) {
			return frames, err
		}
		before := r.cursor.head.Sequence
		if err := r.takeSegments(ctx); err != nil {
			return frames, err
		}
		if r.cursor.head.Sequence == before {
			return frames, &linkError{errors.New("the issuer has neither a segment nor a stream that goes on from here")}
		}
	}
}
