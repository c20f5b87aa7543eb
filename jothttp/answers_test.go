package jothttp

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func answerOf(status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for n := 0; n < len(headers); n += 2 {
		h.Add(headers[n], headers[n+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// A session is over when the token endpoint says so, and not when something else is wrong.
func TestOnlyInvalidGrantEndsASession(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		over   bool
	}{
		{400, `{"error":"invalid_grant"}`, true}, {400, `{"error":"invalid_request"}`, false}, {400, `{"error":"use_dpop_nonce"}`, false}, {400, `invalid_grant`, false}, {400, ``, false},
		{401, `{"error":"invalid_grant"}`, false}, {403, `{"error":"invalid_grant"}`, false}, {500, `{"error":"invalid_grant"}`, false}, {503, ``, false},
	} {
		if err := refusal(answerOf(c.status, c.body)); err == nil || errors.Is(err, ErrLoggedOut) != c.over {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
	}
}

// A token is renewed, or a proof made again, for what the challenge says, and for no other refusal.
func TestChallengesAreRead(t *testing.T) {
	const challenge, nonce = "WWW-Authenticate", "DPoP-Nonce"
	for name, c := range map[string]struct {
		answer                  *http.Response
		token, api, tokenServer bool // is it the token that's refused, and does an API, or a token endpoint, want another nonce?
	}{
		"an old token":         {answerOf(401, "", challenge, `Bearer error="invalid_token"`), true, false, false},
		"the second challenge": {answerOf(401, "", challenge, `Basic`, challenge, `DPoP error="invalid_token"`), true, false, false},
		"no token":             {answerOf(401, "", challenge, `Bearer realm="pets"`), false, false, false},
		"too little":           {answerOf(403, "", challenge, `Bearer error="invalid_token"`), false, false, false},
		"a nonce":              {answerOf(401, "", challenge, `DPoP error="use_dpop_nonce"`, nonce, "n"), false, true, false},
		"no nonce":             {answerOf(401, "", challenge, `DPoP error="use_dpop_nonce"`), false, false, false},
		"a nonce on the way":   {answerOf(401, "", challenge, `DPoP error="invalid_dpop_proof"`, nonce, "n"), false, false, false},
		"another status":       {answerOf(403, "", challenge, `DPoP error="use_dpop_nonce"`, nonce, "n"), false, false, false},
		"of a token endpoint":  {answerOf(400, "", nonce, "n"), false, false, true},
		"none of its nonces":   {answerOf(400, ""), false, false, false},
		"a good answer":        {answerOf(200, "", nonce, "n"), false, false, false},
	} {
		if _, got := objectionTo(c.answer, ""); got != c.token {
			t.Errorf("%s: the token is refused: %v", name, got)
		}
		if got := wantsNonce(c.answer, false); got != c.api {
			t.Errorf("%s: an API wants a nonce: %v", name, got)
		}
		if got := wantsNonce(c.answer, true); got != c.tokenServer {
			t.Errorf("%s: a token endpoint wants a nonce: %v", name, got)
		}
	}
}
