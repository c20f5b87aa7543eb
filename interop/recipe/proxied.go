package recipe

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/server/issuer"
)

// Proxied is an API that knows nothing of tokens, behind a proxy that asks a server about each request.
type Proxied struct {
	running.Server
	t       *testing.T
	url     string       // of the proxy
	client  *http.Client // trusts its certificate
	arrived atomic.Pointer[arrival]
}

// arrival is a request that reached the API.
type arrival struct {
	*http.Request
	body []byte
}

// ServeProxy runs a proxy of the API at an address, which asks the server at another one. It answers by which URL
// clients know the proxy, and a client that trusts its certificate.
type ServeProxy func(t *testing.T, server, api string) (string, *http.Client)

// NewClient trusts what it's told, speaks HTTP/2 where it's encrypted, and keeps no connection after the test.
func NewClient(t *testing.T, trust *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// StartProxied starts a server, an API and the proxy in front of it.
func StartProxied(t *testing.T, serve ServeProxy) *Proxied {
	t.Helper()
	p := &Proxied{Server: running.Start(t), t: t}
	p.start(serve, strings.TrimPrefix(p.URL, "http://"))
	return p
}

// start serves the API, and the proxy in front of it.
func (p *Proxied) start(serve ServeProxy, server string) {
	p.t.Helper()
	api := httptest.NewServer(http.HandlerFunc(p.serveAPI))
	p.t.Cleanup(api.Close)
	p.url, p.client = serve(p.t, server, strings.TrimPrefix(api.URL, "http://"))
}

// serveAPI answers the API's requests, and upgrades those that ask for it to a connection that echoes lines.
func (p *Proxied) serveAPI(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	p.arrived.Store(&arrival{r, body})
	if r.Header.Get("Upgrade") == "" {
		io.WriteString(w, "the API")
		return
	}
	connection, lines, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.t.Error(err)
		return
	}
	defer connection.Close()
	fmt.Fprintf(lines, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
	for err == nil {
		lines.Flush()
		var line string
		line, err = lines.ReadString('\n')
		lines.WriteString(line)
	}
}

// tokens begins a session of a new subject.
func (p *Proxied) tokens(subject string, g issuer.Grant) issuer.Tokens {
	p.t.Helper()
	if err := p.Issuer().CreateSubject(p.t.Context(), issuer.Subject{ID: subject, Scope: []string{"pets:read"}}); err != nil {
		p.t.Fatal(err)
	}
	g.Subject, g.ClientID = subject, running.App
	tokens, err := p.Issuer().Issue(p.t.Context(), g)
	if err != nil {
		p.t.Fatal(err)
	}
	return tokens
}

// request is one to the API: its query is no business of the server's.
func (p *Proxied) request(method string, body io.Reader, headers ...string) *http.Request {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+"/pets?audience=other", body)
	if err != nil {
		p.t.Fatal(err)
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	return r
}

// call asks for the API through the proxy, with headers given as name, value, …. What arrives is nil where the API
// wasn't reached.
func (p *Proxied) call(method string, headers ...string) (*http.Response, *arrival) {
	p.t.Helper()
	return p.send(p.request(method, nil, headers...))
}

func (p *Proxied) send(r *http.Request) (*http.Response, *arrival) {
	p.t.Helper()
	p.arrived.Store(nil)
	response, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		p.t.Fatal(err)
	}
	return response, p.arrived.Load()
}

// dial connects to the proxy, for requests that no client would write.
func (p *Proxied) dial() net.Conn {
	p.t.Helper()
	target, err := url.Parse(p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	connection, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", target.Port()))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { connection.Close() })
	connection.SetDeadline(time.Now().Add(time.Minute))
	if target.Scheme == "http" {
		return connection
	}
	trust := p.client.Transport.(*http.Transport).TLSClientConfig
	return tls.Client(connection, &tls.Config{RootCAs: trust.RootCAs, ServerName: target.Hostname(), NextProtos: []string{"http/1.1"}})
}

// raw sends a request line and headers as they are, with those that every request has, and reads the answer's head.
func (p *Proxied) raw(line string, headers ...string) (*http.Response, *arrival, net.Conn) {
	p.t.Helper()
	p.arrived.Store(nil)
	connection := p.dial()
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s HTTP/1.1\r\n", line)
	for n := 0; n < len(headers); n += 2 {
		fmt.Fprintf(&text, "%s: %s\r\n", headers[n], headers[n+1])
	}
	text.WriteString("\r\n")
	if _, err := connection.Write(text.Bytes()); err != nil {
		p.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		p.t.Fatalf("%s: %v", line, err)
	}
	return response, p.arrived.Load(), connection
}

// host is how clients name the proxy in the header Host.
func (p *Proxied) host() string {
	_, host, _ := strings.Cut(p.url, "://")
	return host
}
