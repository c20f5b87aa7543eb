package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

const (
	maxBody      = 512 << 10 // bytes of a key set or of an issuer's metadata, after decompression
	maxETag      = 1 << 10
	maxRedirects = 3
)

// download gets the set, or learns that the previous one still holds. The set's age counts from asked.
func (s *Source) download(ctx context.Context, previous *keySet, asked time.Time) (*keySet, error) {
	etag := ""
	if previous != nil {
		etag = previous.etag
	}
	body, header, err := get(ctx, s.client, s.url, "application/jwk-set+json, application/json", etag)
	if err != nil {
		return nil, err
	}
	set := previous
	if body != nil {
		keys, err := s.parse(body)
		if err != nil {
			return nil, fmt.Errorf("key set of %s: %w", s.url, err)
		}
		if etag = header.Get("ETag"); len(etag) > maxETag {
			etag = ""
		}
		set = newKeySet(keys, etag, previous)
	} else if len(header.Values("Cache-Control")) == 0 {
		header["Cache-Control"] = previous.control // what a 304 leaves out still holds (RFC 9111 §3.2)
	}
	set = set.dated(asked, lifetime(header, s.options.MinRefresh, s.options.MaxAge), s.options.MaxStale)
	set.control = header.Values("Cache-Control")
	return set, nil
}

// parse reads a key set and bounds its size. A set of which nothing can be used is an error, so that it doesn't take
// the place of a good one.
func (s *Source) parse(body []byte) (*jot.KeySet, error) {
	keys, err := jot.ParseKeySet(body, jot.ParseOptions{Algorithm: s.options.Algorithm})
	if err != nil {
		return nil, err
	}
	if n := len(keys.Keys()) + len(keys.Skipped()); n > s.options.MaxKeys {
		return nil, fmt.Errorf("%d keys, more than the %d allowed: raise Options.MaxKeys if the issuer is right", n, s.options.MaxKeys)
	}
	if skipped := keys.Skipped(); len(keys.Keys()) == 0 && len(skipped) > 0 {
		return nil, fmt.Errorf("none of its %d keys can be used; the first: %s", len(skipped), skipped[0].Reason)
	}
	return keys, nil
}

// get reads one small document. With an etag it is conditional, and a nil body means that nothing changed.
func get(ctx context.Context, client *http.Client, url, accept, etag string) (body []byte, header http.Header, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", accept)
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified && etag != "" {
		return nil, resp.Header, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s answered status %d, not 200", url, resp.StatusCode)
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", url, err)
	}
	if len(body) > maxBody {
		return nil, nil, fmt.Errorf("%s is larger than %d KiB", url, maxBody>>10)
	}
	return body, resp.Header, nil
}

// sameOrigin copies a client, or makes one, so that it follows no redirect away from the origin it was sent to.
func sameOrigin(client *http.Client) *http.Client {
	if client == nil {
		client = newClient()
	}
	limited := *client
	limited.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		first := via[0].URL
		if req.URL.Scheme != first.Scheme || !strings.EqualFold(req.URL.Host, first.Host) {
			return errors.New("refused a redirect to another origin: use the final address")
		}
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if client.CheckRedirect != nil {
			return client.CheckRedirect(req, via)
		}
		return nil
	}
	return &limited
}

// newClient makes a client for fetches that are minutes apart: it keeps no connection, and so no goroutine, between
// them.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}}
}

// parseURL accepts https addresses, and http ones of a loopback host.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	switch {
	case u.Host == "" || u.Hostname() == "":
		return nil, errors.New("jwks: the address has no host: write https://host/path")
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("jwks: the address has credentials or a fragment: leave them out")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		return nil, fmt.Errorf("jwks: %s://%s is not protected: use https", u.Scheme, u.Host)
	}
	return u, nil
}

// loopback reports whether a host can only be this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
