package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const answerTimeout = 30 * time.Second

// caller sends requests to one program, over connections that it keeps.
type caller struct {
	http   *http.Client
	base   string
	header http.Header // of every request
}

// newCaller keeps a connection for each of so many clients. It connects to loopback and nowhere else: this program is
// no weapon.
func newCaller(base string, clients int) *caller {
	return &caller{base: base, http: &http.Client{
		Timeout:       answerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
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

// with is a caller that sends one more header.
func (c *caller) with(name, value string) *caller {
	header := c.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set(name, value)
	return &caller{c.http, c.base, header}
}

// as is a caller with an access token.
func (c *caller) as(bearer string) *caller { return c.with("Authorization", "Bearer "+bearer) }

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
	_, _, err := c.send(ctx, http.MethodGet, path, "", "")
	return err
}

// redirected returns where the answer sends a browser to.
func (c *caller) redirected(ctx context.Context, path string) (*url.URL, error) {
	header, _, err := c.send(ctx, http.MethodGet, path, "", "")
	if err != nil {
		return nil, err
	}
	return url.Parse(header.Get("Location"))
}

// post sends a body, and reads the JSON of the answer where into isn't nil.
func (c *caller) post(ctx context.Context, path, contentType, body string, into any) error {
	_, err := c.postForHeader(ctx, path, contentType, body, into)
	return err
}

// postForHeader is post, and returns the header of the answer.
func (c *caller) postForHeader(ctx context.Context, path, contentType, body string, into any) (http.Header, error) {
	header, answer, err := c.send(ctx, http.MethodPost, path, contentType, body)
	if err != nil || into == nil {
		return header, err
	}
	return header, json.Unmarshal(answer, into)
}

// send returns the header and the body of the answer; of one that isn't a success, the header with the error.
func (c *caller) send(ctx context.Context, method, path, contentType, body string) (http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(request.Header, c.header)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return response.Header, nil, &statusError{method + " " + path, response.StatusCode, string(answer)}
	}
	return response.Header, answer, nil
}
