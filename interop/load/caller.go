package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

const answerTimeout = 30 * time.Second

// caller sends requests to one program, over connections that it keeps.
type caller struct {
	http   *http.Client
	base   string
	bearer string // an access token, or none
}

// newCaller keeps a connection for each of so many clients. It connects to loopback and nowhere else: this program is no weapon.
func newCaller(base string, clients int) *caller {
	return &caller{base: base, http: &http.Client{
		Timeout: answerTimeout,
		Transport: &http.Transport{
			DialContext: dialLoopback, MaxIdleConns: clients, MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients, DisableCompression: true,
		},
	}}
}

func dialLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	host, err := netip.ParseAddrPort(address)
	if err != nil || !host.Addr().IsLoopback() {
		return nil, fmt.Errorf("%s is not on loopback", address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// as is a caller with an access token.
func (c *caller) as(bearer string) *caller { return &caller{c.http, c.base, bearer} }

// statusError is an answer that isn't a success.
type statusError struct {
	request string
	status  int
	body    string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s: %d: %.200s", e.request, e.status, e.body)
}

func (c *caller) close() { c.http.CloseIdleConnections() }

func (c *caller) get(ctx context.Context, path string) error {
	return c.send(ctx, http.MethodGet, path, "", "", nil)
}

// post sends a body, and reads the JSON of the answer where into isn't nil.
func (c *caller) post(ctx context.Context, path, contentType, body string, into any) error {
	return c.send(ctx, http.MethodPost, path, contentType, body, into)
}

func (c *caller) send(ctx context.Context, method, path, contentType, body string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if c.bearer != "" {
		request.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return &statusError{method + " " + path, response.StatusCode, string(answer)}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
