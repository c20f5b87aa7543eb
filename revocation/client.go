package revocation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	silence         = 3 * time.Second  // without a frame for so long, a stream is dead
	snapshotSilence = 10 * time.Second // without a byte for so long, a snapshot is
	snapshotTimeout = time.Minute
	maxRefusal      = 4 << 10 // bytes of an answer that isn't what was asked for
	maxRedirects    = 4
)

var (
	errSilent = errors.New("the feed fell silent")

	// errElsewhere asks for a snapshot, errBehind for segments or a snapshot; errNoSegment says that there is no
	// further one.
	errElsewhere = errors.New("feed: the issuer can't go on from where this reader is; a snapshot is needed")
	errBehind    = errors.New("feed: the issuer's stream begins after where this reader is")
	errNoSegment = errors.New("feed: no such segment")
)

// linkError is a failure of the way to the issuer, not of what the issuer said: the cursor stays good.
type linkError struct{ err error }

func (e *linkError) Error() string { return "feed: " + e.err.Error() }
func (e *linkError) Unwrap() error { return e.err }

// client asks one feed, and never another host.
type client struct {
	http         *http.Client
	url          string
	credential   func() string // in a function, which no printer looks into
	verifier     string        // the reader's ID
	maxStaleness time.Duration
}

func checkCredential(text string) error {
	switch {
	case text == "":
		return errors.New("revocation: the feed's credential is missing: give ReaderOptions.Credential")
	case strings.TrimSpace(text) != text:
		return errors.New("revocation: the feed's credential has white space around it, such as the line break of its file: take it away with strings.TrimSpace")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("revocation: the feed's credential is no bearer token (RFC 6750 §2.1): it's printable ASCII without spaces")
	}
	return nil
}

// newClient takes the caller's client over, without its timeout, which would cut the stream, its
// cookies and its willingness to follow redirects.
func newClient(o ReaderOptions) (*client, error) {
	base, err := parseFeedURL(o.URL)
	if err != nil {
		return nil, err
	}
	if err := checkCredential(o.Credential); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport
	if shared, ok := transport.(*http.Transport); ok && o.Client == nil {
		transport = shared.Clone()
	} else if o.Client != nil && o.Client.Transport != nil {
		transport = o.Client.Transport
	}
	verifier, err := newVerifierID(o.VerifierID)
	if err != nil {
		return nil, err
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own := &http.Client{Transport: transport, CheckRedirect: refuse}
	return &client{own, base, func() string { return o.Credential }, verifier, o.MaxStaleness}, nil
}

func parseFeedURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("revocation: the feed's URL has to be absolute, without user, query and fragment")
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return "", errors.New("revocation: the feed's URL has to be https, or http on loopback")
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// snapshot asks for the newest snapshot, and follows where it's sent within the feed. The caller closes the body.
func (c *client) snapshot(ctx context.Context) (io.ReadCloser, error) {
	address := c.url + "/snapshot"
	for range maxRedirects {
		response, err := c.get(ctx, address, SnapshotType)
		if err != nil {
			return nil, err
		}
		next, err := response.Location()
		if err != nil || response.StatusCode != http.StatusTemporaryRedirect || !strings.HasPrefix(next.String(), c.url+"/snapshot/") {
			return c.checked(ctx, response, SnapshotType)
		}
		response.Body.Close()
		address = next.String()
	}
	return nil, &linkError{errors.New("the issuer sends from one snapshot to the other")}
}

// segment asks for a segment of a log. The caller closes the body.
func (c *client) segment(ctx context.Context, log string, number uint64) (io.ReadCloser, error) {
	query := url.Values{"log": {log}}
	response, err := c.get(ctx, c.url+"/segment/"+strconv.FormatUint(number, 10)+"?"+query.Encode(), SegmentType)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode == http.StatusNotFound:
		response.Body.Close()
		return nil, errNoSegment
	case response.StatusCode == http.StatusGone:
		response.Body.Close()
		return nil, errElsewhere
	}
	return c.checked(ctx, response, SegmentType)
}

// live asks for the frames after a head: for all that will come, or for what there is. The caller closes the body.
func (c *client) live(ctx context.Context, after Head, nonce string, poll bool) (io.ReadCloser, error) {
	query := url.Values{
		"after": {strconv.FormatUint(after.Sequence, 10)}, "log": {after.LogID}, "nonce": {nonce},
		"verifier": {c.verifier}, "max_staleness": {strconv.FormatInt(c.maxStaleness.Milliseconds(), 10)},
	}
	if poll {
		query.Set("poll", "1")
	}
	response, err := c.get(ctx, c.url+"/live?"+query.Encode(), FrameType)
	if err != nil {
		return nil, err
	}
	return c.checked(ctx, response, FrameType)
}

// acknowledge says that the rules up to a place of the log are in force here.
func (c *client) acknowledge(ctx context.Context, at Cursor) error {
	body, err := json.Marshal(map[string]any{"verifier": c.verifier, "log_id": at.LogID, "sequence": at.Sequence})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/acknowledgement", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.credential())
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return &linkError{causeOf(ctx, err)}
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxRefusal) // so that the connection can be used again
	if response.StatusCode != http.StatusNoContent {
		return &linkError{fmt.Errorf("the issuer answered %d", response.StatusCode)}
	}
	return nil
}

func (c *client) get(ctx context.Context, address, mediaType string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.credential())
	request.Header.Set("Accept", mediaType)
	request.Header.Set("Accept-Encoding", "identity")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, &linkError{causeOf(ctx, err)}
	}
	return response, nil
}

// checked returns the body of an answer that is one.
func (c *client) checked(ctx context.Context, response *http.Response, mediaType string) (io.ReadCloser, error) {
	if err := checkAnswer(response, mediaType); err != nil {
		response.Body.Close()
		return nil, err
	}
	return &linkBody{response.Body, ctx}, nil
}

func checkAnswer(response *http.Response, mediaType string) error {
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusConflict:
		return errElsewhere
	case http.StatusGone:
		return errBehind
	case http.StatusUnauthorized, http.StatusForbidden:
		return &linkError{errors.New("the issuer refused the credential")}
	case http.StatusNotFound:
		return &linkError{errors.New("the issuer answered 404: give the URL of its feed, which its metadata name as jot_feed_uri")}
	default:
		return &linkError{fmt.Errorf("the issuer answered %d%s", response.StatusCode, refusalOf(response.Body))}
	}
	got, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || got != mediaType {
		return &linkError{fmt.Errorf("the answer is not %s", mediaType)}
	}
	return nil
}

// refusalOf returns what a problem document (RFC 9457) says is wrong, as far as that can be printed.
func refusalOf(body io.Reader) string {
	var problem struct {
		Detail string `json:"detail"`
	}
	err := json.NewDecoder(io.LimitReader(body, maxRefusal)).Decode(&problem)
	unprintable := func(r rune) bool { return r < ' ' || r > '~' }
	if err != nil || problem.Detail == "" || strings.ContainsFunc(problem.Detail, unprintable) {
		return ""
	}
	return ": " + problem.Detail
}

// linkBody marks the errors of reading as errors of the link.
type linkBody struct {
	io.ReadCloser
	ctx context.Context
}

func (b *linkBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = &linkError{causeOf(b.ctx, err)}
	}
	return n, err
}

// lively holds a watchdog off while there is something to read.
type lively struct {
	io.Reader
	watchdog *time.Timer
}

func (l *lively) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if n > 0 {
		l.watchdog.Reset(snapshotSilence)
	}
	return n, err
}

// causeOf prefers the reason for which a request was ended to the fact that it was.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
