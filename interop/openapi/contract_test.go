// Package openapi holds the server against its own description: whatever it answers must be what /openapi.json says,
// and whatever /openapi.json says must have been answered.
package openapi

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// contract is an http.RoundTripper that checks what passes through it, and remembers which answers have been seen.
type contract struct {
	t        *testing.T
	document *openapi3.T
	router   routers.Router

	mu   sync.Mutex
	seen map[string]bool // "GET /v1/me 200"
}

func init() {
	for _, media := range []string{"application/jsonl", "text/event-stream", "text/html", "text/javascript"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.PlainBodyDecoder)
	}
	openapi3filter.RegisterBodyDecoder("application/vnd.jot.snapshot", openapi3filter.FileBodyDecoder)
}

// newContract reads the document from the server itself.
func newContract(t *testing.T, url string) *contract {
	t.Helper()
	response, err := http.Get(url + "/openapi.json")
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	document, err := openapi3.NewLoader().LoadFromData(text)
	must(t, err)
	must(t, document.Validate(t.Context()))
	router, err := legacy.NewRouter(document)
	must(t, err)
	return &contract{t: t, document: document, router: router, seen: make(map[string]bool)}
}

func (c *contract) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil && r.Body != http.NoBody {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	c.check(r, sent, response)
	return response, nil
}

// check holds an answer against the document, and the request too where it was accepted.
func (c *contract) check(r *http.Request, sent []byte, response *http.Response) {
	name := fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, response.StatusCode)
	route, parameters, err := c.router.FindRoute(r)
	if err != nil {
		c.t.Errorf("%s: %v", name, err)
		return
	}
	c.note(fmt.Sprintf("%s %s %d", r.Method, route.Path, response.StatusCode))
	request := r.Clone(r.Context())
	request.Body = io.NopCloser(bytes.NewReader(sent))
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, RejectWhenRequestBodyNotSpecified: true, SkipSettingDefaults: true, MultiError: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}
	if response.StatusCode < 400 {
		if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			c.t.Errorf("%s was accepted: %v", name, err)
		}
	}
	if err := openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header, Body: received(response), Options: input.Options,
	}); err != nil {
		c.t.Errorf("%s: %v", name, err)
	}
}

// received returns the body of an answer, once for the check and once for the caller. A stream is the caller's alone.
func received(response *http.Response) io.ReadCloser {
	if media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); media == "text/event-stream" {
		return io.NopCloser(bytes.NewReader(nil))
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	return io.NopCloser(bytes.NewReader(body))
}

// failing repeats the end of a body.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

func (c *contract) note(answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[answer] = true
}

// complete fails for each answer of the document that nobody has seen, but those that only a broken server gives.
func (c *contract) complete(unseen map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for path, item := range c.document.Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				answer := fmt.Sprintf("%s %s %s", method, path, status)
				_, excused := unseen[answer]
				switch {
				case excused && c.seen[answer]:
					c.t.Errorf("%s is on the list of what can't be seen, and was", answer)
				case !excused && !c.seen[answer] && status != "500" && status != "503":
					c.t.Errorf("%s is in the document, and nobody has seen it", answer)
				}
			}
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
