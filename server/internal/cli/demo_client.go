package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	demoTimeout   = 10 * time.Second
	maxDemoAnswer = 1 << 20
)

// demoAnswer is what came back.
type demoAnswer struct {
	sent   string // method and path
	status int
	header http.Header
	body   []byte
}

// String says what was sent and what came back.
func (a demoAnswer) String() string {
	text := fmt.Sprintf("%s → %d", a.sent, a.status)
	if challenge := a.header.Get("WWW-Authenticate"); challenge != "" {
		_, challenge, _ = strings.Cut(challenge, `", `)
		text += strings.TrimRight(" "+challenge, " ")
	}
	return text
}

// send makes one request. body nil means none; token "" means no credentials.
func send(ctx context.Context, method, base, path, token string, body any) (demoAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return demoAnswer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, base+path, content)
	if err != nil {
		return demoAnswer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return demoAnswer{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxDemoAnswer))
	return demoAnswer{method + " " + path, response.StatusCode, response.Header, data}, err
}

// expect is send with an opinion on the status.
func expect(ctx context.Context, status int, method, base, path, token string, body any) (demoAnswer, error) {
	answer, err := send(ctx, method, base, path, token, body)
	if err == nil && answer.status != status {
		err = fmt.Errorf("%s, but expected %d: %s", answer, status, answer.body)
	}
	return answer, err
}

// demoTokens is the answer of login and refresh (RFC 6749 §5.1).
type demoTokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Scope   string `json:"scope"`
}

func tokensFrom(answer demoAnswer) (tokens demoTokens, err error) {
	if err := json.Unmarshal(answer.body, &tokens); err != nil {
		return demoTokens{}, fmt.Errorf("%s: %w", answer, err)
	}
	if tokens.Access == "" || tokens.Refresh == "" {
		return demoTokens{}, fmt.Errorf("%s, without tokens", answer)
	}
	return tokens, nil
}
