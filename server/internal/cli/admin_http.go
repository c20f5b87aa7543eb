package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

const (
	maxAdminAnswer = 16 << 20         // bytes of one answer
	adminTimeout   = 30 * time.Second // of one call; an export takes as long as it takes
)

// serverError is a problem (RFC 9457) or an OAuth error (RFC 6749 §5.2) that a server answers with.
type serverError struct {
	Status      int    `json:"-"`
	Title       string `json:"title"`
	Detail      string `json:"detail"`
	Code        string `json:"error"`
	Description string `json:"error_description"`
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

// adminServer is a server, and who asks.
type adminServer struct {
	issuer string
	token  func(ctx context.Context, stale string) (string, error)
}

// server finds out which server is meant and with which token: that of the environment, or of the login.
func (a *adminFlags) server() (*adminServer, error) {
	wanted := strings.TrimSuffix(a.issuer, "/")
	if token := os.Getenv("JOT_ADMIN_TOKEN"); token != "" {
		if wanted == "" {
			var err error
			if wanted, err = issuerOf(token); err != nil {
				return nil, err
			}
		}
		return &adminServer{wanted, func(context.Context, string) (string, error) { return token, nil }}, checkAdminURL(wanted)
	}
	file, err := adminLoginFile()
	if err != nil {
		return nil, err
	}
	login, err := file.load()
	if err != nil {
		return nil, err
	}
	if wanted != "" && wanted != login.Issuer {
		return nil, fmt.Errorf("the login is at %s: run 'jot admin login --issuer %s'", login.Issuer, wanted)
	}
	return &adminServer{login.Issuer, func(ctx context.Context, stale string) (string, error) {
		login, err := file.fresh(ctx, stale)
		return login.Access, err
	}}, checkAdminURL(login.Issuer)
}

// issuerOf is what a token says of its issuer, to whom it's sent anyway.
func issuerOf(token string) (string, error) {
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(jot.Inspect(token).Payload.Decoded, &claims); err != nil || claims.Issuer == "" {
		return "", errors.New("JOT_ADMIN_TOKEN is no access token that names its issuer: name the server with --issuer URL")
	}
	return claims.Issuer, nil
}

// checkAdminURL refuses an address to which a password or a token would travel unencrypted.
func checkAdminURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return usagef("--issuer %.80q is no address of a server: write it as https://auth.example.com", text)
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback()) {
		return nil
	}
	return usagef("--issuer %.80q: the password and the tokens would travel unencrypted: use https", text)
}

// call asks the admin API, and once more with a newer token when the one at hand is refused. out may be nil.
func (s *adminServer) call(ctx context.Context, method, path string, in, out any) error {
	token, err := s.token(ctx, "")
	if err != nil {
		return err
	}
	err = callServer(ctx, s.issuer, token, method, "/admin/v1"+path, in, out)
	if refused, ok := errors.AsType[*serverError](err); !ok || refused.Status != http.StatusUnauthorized {
		return err
	}
	newer, failed := s.token(ctx, token)
	if failed != nil || newer == token {
		return errors.Join(err, failed)
	}
	return callServer(ctx, s.issuer, newer, method, "/admin/v1"+path, in, out)
}

// callServer sends one request with a JSON body, if there is one, and reads the JSON answer.
func callServer(ctx context.Context, issuer, token, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	response, err := sendToServer(ctx, issuer, token, method, path, "application/json", in)
	if err != nil {
		return err
	}
	defer response.Body.Close() // it was read
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAdminAnswer+1))
	if err != nil {
		return fmt.Errorf("the answer of %s: %w", issuer, err)
	}
	if len(data) > maxAdminAnswer {
		return fmt.Errorf("the answer of %s has more than %d MiB", issuer, maxAdminAnswer>>20)
	}
	if out == nil || len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("the answer of %s is not what a jot server answers: %w", issuer, err)
	}
	return nil
}

// sendToServer sends a request. An answer that isn't a success is a *serverError.
func sendToServer(ctx context.Context, issuer, token, method, path, accept string, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	if in == nil {
		body = nil
	}
	request, err := http.NewRequestWithContext(ctx, method, issuer+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("User-Agent", "jot/"+readBuild().Version)
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := adminHTTP.Do(request)
	if err != nil {
		return nil, unreachable(issuer, err)
	}
	if response.StatusCode < 300 {
		return response, nil
	}
	defer response.Body.Close()
	failure := &serverError{Status: response.StatusCode}
	if data, err := io.ReadAll(io.LimitReader(response.Body, 64<<10)); err == nil {
		json.Unmarshal(data, failure) // where it's something else the status says enough
	}
	return nil, failure
}

// adminHTTP follows no redirect: a token is for the address that was named.
var adminHTTP = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// unreachable names the server, without the path.
func unreachable(issuer string, err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("can't reach %s: %w; is the server running?", issuer, err)
	}
	return fmt.Errorf("can't reach %s: %w", issuer, err)
}

// escapePath is a value as one segment of a path, dots included, which paths give a meaning to.
func escapePath(value string) string { return strings.ReplaceAll(url.PathEscape(value), ".", "%2E") }
