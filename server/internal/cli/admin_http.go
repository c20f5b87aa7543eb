package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jot-auth/jot/jothttp"
)

const (
	maxAdminAnswer = 16 << 20         // bytes of one answer
	adminTimeout   = 30 * time.Second // of one call; an export takes as long as it takes
)

// serverError is a problem (RFC 9457) or an OAuth error (RFC 6749 §5.2) that a server answers with.
type serverError struct {
	Status      int      `json:"-"`
	Title       string   `json:"title"`
	Detail      string   `json:"detail"`
	Code        string   `json:"error"`
	Description string   `json:"error_description"`
	Challenge   string   `json:"challenge"` // of a login that lacks a second factor
	Factors     []string `json:"factors"`   // kinds of them that the account has
}

// Error says what went wrong and what to do next.
func (e *serverError) Error() string {
	var parts []string
	for _, part := range []string{e.Title, e.Detail, e.Code, e.Description, e.advice()} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		parts = append(parts, fmt.Sprintf("the server answers with status %d", e.Status))
	}
	return strings.Join(parts, ": ")
}

func (e *serverError) advice() string {
	switch e.Status {
	case http.StatusUnauthorized:
		if e.Title == http.StatusText(http.StatusUnauthorized) {
			return "run 'jot admin login --issuer URL'"
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return "try again in a moment"
	}
	return ""
}

// call asks the admin API. in and out may be nil.
func (s *adminServer) call(ctx context.Context, method, path string, in, out any) error {
	return s.ask(ctx, method, "/admin/v1"+path, in, out)
}

// ask sends one request with a JSON body, if there is one, and reads the JSON answer.
func (s *adminServer) ask(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	response, err := s.send(ctx, method, path, "application/json", in)
	if err != nil {
		return err
	}
	defer response.Body.Close() // it was read
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAdminAnswer+1))
	if err != nil {
		return fmt.Errorf("the answer of %s: %w", s.issuer, err)
	}
	if len(data) > maxAdminAnswer {
		return fmt.Errorf("the answer of %s has more than %d MiB", s.issuer, maxAdminAnswer>>20)
	}
	if out == nil || len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("the answer of %s is not what a jot server answers: %w", s.issuer, err)
	}
	return nil
}

// send sends a request. An answer that isn't a success is a *serverError.
func (s *adminServer) send(ctx context.Context, method, path, accept string, in any) (*http.Response, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, s.issuer+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, s.unreachable(err)
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusUnauthorized && s.loggedOut(ctx) {
		return nil, s.over()
	}
	data, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if response.TLS == nil && bytes.Contains(data, []byte("HTTP request to an HTTPS server")) { // in the words of net/http
		return nil, fmt.Errorf("%s speaks TLS: write https://", s.issuer)
	}
	failure := &serverError{Status: response.StatusCode}
	json.Unmarshal(data, failure) // where it's something else the status says enough
	return nil, failure
}

// loggedOut reports whether there was a login that is over, as the server said when it was asked for newer tokens.
func (s *adminServer) loggedOut(ctx context.Context) bool {
	if s.login == nil {
		return false
	}
	_, err := s.login.Tokens(ctx)
	return errors.Is(err, jothttp.ErrLoggedOut)
}

func (s *adminServer) over() error {
	return fmt.Errorf("the login at %s is over: run 'jot admin login --issuer %s'", s.issuer, s.issuer)
}

// unreachable names the server, without the path.
func (s *adminServer) unreachable(err error) error {
	if errors.Is(err, jothttp.ErrLoggedOut) {
		return s.over()
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("can't reach %s: %w; is the server running?", s.issuer, err)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("can't reach %s: %w; where that authority is your own, let this machine trust it, or name its PEM file in $SSL_CERT_FILE", s.issuer, err)
	}
	return fmt.Errorf("can't reach %s: %w", s.issuer, err)
}

// escapePath is a value as one segment of a path, dots included, which paths give a meaning to.
func escapePath(value string) string { return strings.ReplaceAll(url.PathEscape(value), ".", "%2E") }
