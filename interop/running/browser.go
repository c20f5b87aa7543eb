package running

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is a person's: it keeps cookies, those for TLS alone too, since on loopback browsers do, and sees pages of
// the server.
type Browser struct {
	t         *testing.T
	transport http.RoundTripper
	cookies   map[string]string
}

// NewBrowser makes a browser without cookies, over a transport.
func NewBrowser(t *testing.T, transport http.RoundTripper) *Browser {
	return &Browser{t, transport, make(map[string]string)}
}

// Page is what a browser sees, or where it's sent.
type Page struct {
	Status int
	Body   string
	Next   *url.URL // nil: nowhere
	at     *url.URL
}

// Get asks for a page, and follows redirects within its origin.
func (b *Browser) Get(address string) Page {
	b.t.Helper()
	return b.follow(b.Send(http.MethodGet, address, nil))
}

// Send sends a request and follows nothing. A form is sent as one of the same origin.
func (b *Browser) Send(method, address string, form url.Values, headers ...string) Page {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "same-origin")
	} else {
		request.Body = http.NoBody
	}
	for n := 0; n < len(headers); n += 2 {
		request.Header.Set(headers[n], headers[n+1])
	}
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := b.transport.RoundTrip(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range response.Cookies() {
		b.cookies[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		}
	}
	page := Page{Status: response.StatusCode, Body: string(body), at: request.URL}
	if location := response.Header.Get("Location"); location != "" {
		if page.Next, err = request.URL.Parse(location); err != nil {
			b.t.Fatal(err)
		}
	}
	return page
}

func (b *Browser) follow(p Page) Page {
	b.t.Helper()
	for range 5 {
		if p.Next == nil || p.Next.Host != p.at.Host {
			return p
		}
		p = b.Send(http.MethodGet, p.Next.String(), nil)
	}
	b.t.Fatal("redirected in a circle")
	return p
}

var (
	action  = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	request = regexp.MustCompile(`name="request" value="([^"]*)"`)
)

// Submit fills in the form of a page, by name, value, …, and sends it.
func (b *Browser) Submit(p Page, fields ...string) Page {
	b.t.Helper()
	where, sealed := action.FindStringSubmatch(p.Body), request.FindStringSubmatch(p.Body)
	if where == nil || sealed == nil {
		b.t.Fatalf("there is no form: %d %v %s", p.Status, p.Next, p.Body)
	}
	address, err := p.at.Parse(html.UnescapeString(where[1]))
	if err != nil {
		b.t.Fatal(err)
	}
	form := url.Values{"request": {html.UnescapeString(sealed[1])}}
	for n := 0; n < len(fields); n += 2 {
		form.Set(fields[n], fields[n+1])
	}
	return b.follow(b.Send(http.MethodPost, address.String(), form))
}
