package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/interop/programs"
	"github.com/jot-auth/jot/server/issuer"
)

// revokers are the clients that revoke at once: so many that the rate is kept while an answer takes up to 64 ms. With
// fewer, it would be they who set the pace.
const revokers = 64

const (
	answerTimeout = 30 * time.Second
	busyPause     = time.Second
	revokeTries   = 10
)

// revoked is a session that was ended, and when the answer said so.
type revoked struct {
	issuer.Tokens
	answered time.Time
}

// revokeAll ends the sessions at the rate of the plan, or as fast as they can be where that's slower, and tells watch
// of some. Its goroutines end with it.
func (s *site) revokeAll(ctx context.Context, p plan, running *programs.Program, sessions []issuer.Tokens, watch func(revoked)) (l load, err error) {
	spent, err := programs.CPU(running.PID())
	if err != nil {
		return l, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: revokers}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: answerTimeout}
	began, next := time.Now(), atomic.Int64{}
	gap := time.Second / time.Duration(p.rate)
	l.revocations = make([]revoked, len(sessions))
	var failed [revokers]error
	var all sync.WaitGroup
	for w := range revokers {
		all.Go(func() {
			for n := int(next.Add(1) - 1); n < len(sessions) && failed[w] == nil && time.Since(began) < 2*p.window; n = int(next.Add(1) - 1) {
				time.Sleep(time.Until(began.Add(time.Duration(n) * gap)))
				failed[w] = revoke(ctx, c, running.Base, sessions[n].Refresh)
				l.revocations[n] = revoked{sessions[n], time.Now()}
				if watch != nil && n%(p.rate/10) == 0 {
					watch(l.revocations[n])
				}
			}
		})
	}
	all.Wait()
	l.took = time.Since(began)
	l.revocations = slices.DeleteFunc(l.revocations, func(r revoked) bool { return r.answered.IsZero() })
	now, err := programs.CPU(running.PID())
	l.cpu = now - spent
	return l, errors.Join(append(failed[:], err)...)
}

// revoke is RFC 7009. A server that is too busy says so, and is asked again.
func revoke(ctx context.Context, c *http.Client, base, token string) error {
	form := url.Values{"token": {token}, "client_id": {client}}
	for tries := 1; ; tries++ {
		status, text, err := post(ctx, c, base+"/oauth2/revoke", form)
		switch {
		case err != nil || status == http.StatusOK:
			return err
		case status != http.StatusServiceUnavailable || tries == revokeTries:
			return fmt.Errorf("revoke: %d: %.200s", status, text)
		}
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func post(ctx context.Context, c *http.Client, address string, form url.Values) (status int, text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := c.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	return answer.StatusCode, text, err
}

func milliseconds(sorted []time.Duration, share float64) float64 {
	return float64(measure.Quantile(sorted, share).Microseconds()) / 1000
}
