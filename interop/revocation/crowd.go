package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
)

const heartbeat = time.Second // of the feed

// crowd is all who read the feed: whole verifiers, connections that note when which rule has arrived, and one that
// keeps everything.
type crowd struct {
	keys        *jwks.Source
	verifiers   []*revocation.Reader
	connections []*connection
	record      *recording
	stop        context.CancelFunc

	mu      sync.Mutex
	delays  []time.Duration
	missed  error
	waiting sync.WaitGroup
}

// gather connects all of them, and returns when each has had a frame.
func gather(ctx context.Context, p plan, base string) (c *crowd, err error) {
	ctx, stop := context.WithCancel(ctx)
	c = &crowd{stop: stop}
	defer func() {
		if err != nil {
			c.leave()
		}
	}()
	if c.keys, err = jwks.NewSource(base+"/feed/jwks.json", jwks.Options{}); err != nil {
		return c, err
	}
	for range p.verifiers {
		reader, err := revocation.NewReader(revocation.ReaderOptions{URL: base + "/feed", Issuer: issuerURL, Keys: c.keys, Credential: credential})
		if err != nil {
			return c, err
		}
		c.verifiers = append(c.verifiers, reader)
		if err := reader.WaitFresh(ctx); err != nil {
			return c, err
		}
	}
	state := c.verifiers[0].State()
	at := fmt.Sprintf("/feed/live?after=%d&log=%s&nonce=", state.Sequence, url.QueryEscape(state.LogID))
	if c.record, err = startRecording(ctx, base+at); err != nil {
		return c, err
	}
	for range p.connections - p.verifiers - 1 {
		one, err := connect(base, at)
		if err != nil {
			return c, err
		}
		c.connections = append(c.connections, one)
	}
	return c, nil
}

// leave ends all connections, and waits for their goroutines.
func (c *crowd) leave() {
	c.stop()
	for _, one := range c.connections {
		one.close()
	}
	if c.record != nil {
		<-c.record.done
	}
	for _, v := range c.verifiers {
		v.Close()
	}
	if c.keys != nil {
		c.keys.Close()
	}
}

// watch waits, on goroutines of its own that end when refusals has returned, until each whole verifier refuses a token
// of the session.
func (c *crowd) watch(r revoked) {
	facts := &jot.RevocationFacts{
		Issuer: []byte(issuerURL), Subject: []byte(r.Subject), SessionID: []byte(r.SessionID), Generation: 1 << 40, IssuedAt: r.answered.Unix(), HasIssuedAt: true,
	}
	for _, v := range c.verifiers {
		c.waiting.Go(func() {
			for {
				verdict, err := v.CheckRevocation(context.Background(), facts)
				took := time.Since(r.answered)
				switch {
				case err != nil || took > answerTimeout:
					c.note(took, fmt.Errorf("a verifier doesn't refuse: %w, after %v", err, took))
				case verdict == jot.Revoked:
					c.note(took, nil)
				default:
					time.Sleep(200 * time.Microsecond)
					continue
				}
				return
			}
		})
	}
}

func (c *crowd) note(took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delays, c.missed = append(c.delays, took), errors.Join(c.missed, err)
}

// refusals waits for those that watch waits for, and returns the delays in order.
func (c *crowd) refusals() ([]time.Duration, error) {
	c.waiting.Wait()
	slices.Sort(c.delays)
	return c.delays, c.missed
}

// arrivals returns, in order, how long each rule took from the answer to each connection; what was there before the
// answer took no time.
func (c *crowd) arrivals(ctx context.Context, all []revoked) ([]time.Duration, error) {
	sequences, err := c.record.sequences(ctx, len(all))
	if err != nil {
		return nil, err
	}
	time.Sleep(2 * heartbeat) // which repeats the last sequence to whom a read had cut it
	var delays []time.Duration
	for _, one := range c.connections {
		arrived, err := one.close()
		if err != nil {
			return nil, fmt.Errorf("a connection, after %d frames: %w", len(arrived), err)
		}
		for _, r := range all {
			sequence := sequences[r.SessionID]
			n := sort.Search(len(arrived), func(n int) bool { return arrived[n].sequence >= sequence })
			if sequence == 0 || n == len(arrived) {
				return nil, fmt.Errorf("rule %d of session %s hasn't arrived at a connection that came to %d frames", sequence, r.SessionID, len(arrived))
			}
			delays = append(delays, max(0, arrived[n].at.Sub(r.answered)))
		}
	}
	slices.Sort(delays)
	return delays, nil
}

// recording is a connection whose frames are read, to know which rule has which sequence.
type recording struct {
	body io.ReadCloser
	done chan struct{}

	mu    sync.Mutex
	found map[string]uint64 // sequences by session
	err   error
}

func startRecording(ctx context.Context, address string) (*recording, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+newNonce(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+credential)
	answer, err := new(http.Transport).RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("the feed answers %s", answer.Status)
	}
	r := &recording{body: answer.Body, done: make(chan struct{}), found: make(map[string]uint64)}
	go r.read() // ends with the context of the request
	return r, nil
}

func (r *recording) read() {
	defer close(r.done)
	defer r.body.Close()
	for frames := revocation.NewFrameReader(r.body); ; {
		frame, err := frames.Next()
		r.mu.Lock()
		for n, rule := range frame.Rules {
			r.found[rule.Value] = frame.Sequence - uint64(len(frame.Rules)-1-n)
		}
		if err != nil {
			r.err = fmt.Errorf("the recorded stream, after %d rules: %w", len(r.found), err)
		}
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// sequences waits until so many rules have been seen.
func (r *recording) sequences(ctx context.Context, count int) (map[string]uint64, error) {
	for deadline := time.Now().Add(answerTimeout); ; time.Sleep(10 * time.Millisecond) {
		r.mu.Lock()
		got, err := len(r.found), r.err
		r.mu.Unlock()
		if err == nil && got < count && time.Now().After(deadline) {
			err = fmt.Errorf("%d of %d rules have come", got, count)
		}
		if err = errors.Join(err, ctx.Err()); err != nil || got >= count {
			return r.found, err
		}
	}
}
