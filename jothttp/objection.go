package jothttp

import (
	"net/http"
	"strings"
	"time"
)

// How long an API's objection is believed that a refresh hasn't met. Claims may have changed once more, and are to be
// seen at once; nothing else that is wrong with a new token is mended by a newer one.
const (
	vainPause      = time.Minute
	vainStalePause = time.Second
)

// objection is what an API has against tokens.
type objection struct {
	origin string
	stale  bool // the subject's claims have changed
}

// objectionTo reports whether an API refused the token, and not the request (RFC 6750 §3.1), and why.
func objectionTo(response *http.Response, origin string) (o objection, refused bool) {
	if response.StatusCode != http.StatusUnauthorized {
		return objection{}, false
	}
	for _, challenge := range response.Header.Values("WWW-Authenticate") {
		if strings.Contains(challenge, `error="invalid_token"`) {
			return objection{origin, strings.Contains(challenge, `error_description="stale claims"`)}, true
		}
	}
	return objection{}, false
}

func (o objection) pause() time.Duration {
	if o.stale {
		return vainStalePause
	}
	return vainPause
}

// isVain reports whether a refresh for the sake of an objection is known to bring no better token than this pair's: a
// newer one was refused as well.
func (t *Transport) isVain(o objection, pair TokenPair) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.options.Now().Before(t.vain[o]) && t.pair.reveal().same(pair)
}

// noteVain remembers that an objection was raised again, to a token that was got since it was raised first.
func (t *Transport) noteVain(o objection, first time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.received.Before(first) {
		t.vain[o] = t.options.Now().Add(o.pause())
	}
}
