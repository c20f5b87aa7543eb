package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/issuer"
)

// patience is how long a test waits for what must happen, on a machine that others keep busy.
const patience = time.Minute

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Errorf("not in %v: %s", patience, what)
}

func listenHere(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// newServer makes a server that listens nowhere yet.
func newServer(t *testing.T, url string, change func(*server.Config)) (*server.Server, *logtest.Buffer) {
	t.Helper()
	log := &logtest.Buffer{}
	c := server.Config{
		Issuer: issuer.Config{
			URL:              url,
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}},
			Clients:          []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		DataDir: filepath.Join(t.TempDir(), "data"), OpenSignUp: true, SignUpScope: []string{"pets:read"},
		Logger: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&c)
	}
	s, err := server.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, log
}

// serveOn serves until stop is called, which waits for the end.
func serveOn(t *testing.T, s *server.Server, l server.Listeners) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.ServeOn(ctx, l) }() // ends with stop
	stop = sync.OnceValue(func() error { cancel(); return <-served })
	t.Cleanup(func() { stop() })
	return stop
}

// Clients that send next to nothing, or nothing, are cut off, and leave nothing behind; others are served meanwhile.
func TestSlowClientsAreCutOff(t *testing.T) {
	listener := listenHere(t)
	address := listener.Addr().String()
	s, _ := newServer(t, "http://"+address, nil)
	s.Hurry(300*time.Millisecond, patience)
	before := runtime.NumGoroutine()
	stop := serveOn(t, s, server.Listeners{Public: listener})

	const each = 10
	login := "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"
	for name, beginning := range map[string]string{
		"silent": "", "half a request line": "GET /hea", "half a header": "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ", "half a body": login,
		"idle after an answer": "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			for range each {
				all.Go(func() {
					if err := drip(address, beginning, !strings.HasSuffix(beginning, "x\r\n\r\n") && beginning != ""); err != nil {
						t.Error(err)
					}
				})
			}
			// On a busy machine even this client may be too slow once.
			eventually(t, "others are served", func() bool { return status("http://"+address+"/healthz") == http.StatusOK })
			all.Wait()
		})
	}
	http.DefaultClient.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Error(err)
	}
	eventually(t, "no goroutine stays behind", func() bool { return runtime.NumGoroutine() <= before })
}

// Over HTTP/2, a body that drips is cut off as well.
func TestSlowBodiesAreCutOffOverHTTP2(t *testing.T) {
	stranger := httptest.NewTLSServer(http.NotFoundHandler()) // has a certificate, and a client that trusts it
	defer stranger.Close()
	listener := listenHere(t)
	s, _ := newServer(t, "https://auth.example.com", nil)
	s.Hurry(300*time.Millisecond, patience)
	serveOn(t, s, server.Listeners{Public: listener, TLS: &tls.Config{
		Certificates: stranger.TLS.Certificates, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}})
	transport := stranger.Client().Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = true
	defer transport.CloseIdleConnections()
	body, writer := io.Pipe()
	defer writer.Close()
	go func() { // ends with the body
		for _, err := writer.Write([]byte("{")); err == nil; _, err = writer.Write([]byte(" ")) {
			time.Sleep(20 * time.Millisecond)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+listener.Addr().String()+"/v1/login", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err == nil {
		defer response.Body.Close()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		t.Error("the body may drip for ever")
	case err == nil && (response.ProtoMajor != 2 || response.StatusCode != http.StatusBadRequest):
		t.Errorf("%s over %s", response.Status, response.Proto)
	}
}

// drip sends a beginning and then, perhaps, a byte now and again, until the server has had enough.
func drip(address, beginning string, more bool) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(connection, beginning); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { // ends with the connection
		_, err := io.Copy(io.Discard, connection)
		ended <- err
	}()
	for {
		select {
		case err := <-ended:
			if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				return fmt.Errorf("%.20q is served for ever", beginning)
			}
			return nil
		case <-time.After(20 * time.Millisecond):
			if more {
				connection.Write([]byte("a")) // fails when the server has had enough
			}
		}
	}
}

func TestHeadersThatAreTooLongAreRefused(t *testing.T) {
	listener := listenHere(t)
	s, _ := newServer(t, "http://"+listener.Addr().String(), nil)
	serveOn(t, s, server.Listeners{Public: listener})
	request, err := http.NewRequest(http.MethodGet, "http://"+listener.Addr().String()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Long", strings.Repeat("a", 128<<10))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(response.Status)
	}
}

// The end of a server: first it says that it isn't ready, still serving; then a request that is under way gets its
// answer; then the streams of the feed end; and nothing stays.
func TestTheEndIsInGoodOrder(t *testing.T) {
	listener, admin := listenHere(t), listenHere(t)
	url := "http://" + listener.Addr().String()
	credential := server.NewSecret().Text()
	s, _ := newServer(t, url, func(c *server.Config) { c.FeedCredentials = []string{credential} })
	s.Hurry(patience, patience)
	before := runtime.NumGoroutine()
	const drain = 5 * time.Second
	stop := serveOn(t, s, server.Listeners{Public: listener, Admin: admin, Drain: drain})

	stream := openStream(t, s, url, credential)
	slow, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	const body = `{"username":"ada","password":"correct horse battery staple"}`
	fmt.Fprintf(slow, "POST /v1/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:10])
	eventually(t, "the request has begun", func() bool { return strings.Contains(scrape(t, s), "jot_http_requests_in_flight 1") })

	ended, began := make(chan error, 1), time.Now()
	go func() { ended <- stop() }()
	late := func() bool { return time.Since(began) > drain } // a machine that is so busy misses it
	for _, base := range []string{url, "http://" + admin.Addr().String()} {
		eventually(t, "not ready", func() bool { return status(base+"/readyz") == http.StatusServiceUnavailable || late() })
		if got := status(base + "/healthz"); got != http.StatusOK && !late() {
			t.Errorf("alive while draining: %d", got)
		}
	}
	eventually(t, "connections are refused", func() bool {
		connection, err := net.DialTimeout("tcp", listener.Addr().String(), time.Second)
		if err == nil {
			connection.Close()
		}
		return err != nil
	})
	beats := stream.frames.Load()
	eventually(t, "the feed's stream goes on until the last request has its answer", func() bool { return stream.frames.Load() > beats })
	io.WriteString(slow, body[10:])
	response, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Errorf("the request that was under way: %v, %v", response, err)
	}
	<-stream.ended
	if err := <-ended; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "no goroutine stays behind", func() bool { return runtime.NumGoroutine() <= before })
}

// stream is one of the feed's.
type stream struct {
	frames atomic.Int64
	ended  chan struct{}
}

// openStream follows the feed until it ends.
func openStream(t *testing.T, s *server.Server, url, credential string) *stream {
	t.Helper()
	head, err := s.Issuer().LogHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/feed/live?after=%d&log=%s&nonce=0123456789abcdef", url, head.Sequence, head.LogID), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+credential)
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response, err)
	}
	opened := &stream{ended: make(chan struct{})}
	go func() { // ends with the stream
		defer close(opened.ended)
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if lines.Text() == "" {
				opened.frames.Add(1)
			}
		}
	}()
	return opened
}

func status(url string) int {
	response, err := http.Get(url)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// A client that never finishes doesn't keep the server from ending.
func TestTheEndIsBounded(t *testing.T) {
	listener := listenHere(t)
	s, _ := newServer(t, "http://"+listener.Addr().String(), nil)
	s.Hurry(time.Minute, 200*time.Millisecond)
	stop := serveOn(t, s, server.Listeners{Public: listener})
	slow, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	io.WriteString(slow, "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
	eventually(t, "the request has begun", func() bool { return strings.Contains(scrape(t, s), "jot_http_requests_in_flight 1") })
	if err := stop(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v, want the bound", err)
	}
}

func TestAListenerThatFailsEndsTheOthers(t *testing.T) {
	listener, admin := listenHere(t), listenHere(t)
	s, _ := newServer(t, "http://"+listener.Addr().String(), nil)
	admin.Close()
	if err := s.ServeOn(t.Context(), server.Listeners{Public: listener, Admin: admin}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ended with %v", err)
	}
}

// everywhere is a listener on loopback that says it's on every address.
type everywhere struct{ net.Listener }

func (everywhere) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 80} }

func TestPlainHTTPIsForLoopbackAndNamedProxies(t *testing.T) {
	s, _ := newServer(t, "https://auth.example.com", nil)
	listener := listenHere(t)
	defer listener.Close()
	if err := s.ServeOn(t.Context(), server.Listeners{Public: everywhere{listener}}); err == nil || !strings.Contains(err.Error(), "unencrypted") {
		t.Errorf("served everybody: %v", err)
	}

	behind, _ := newServer(t, "https://auth.example.com", func(c *server.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	second := listenHere(t)
	serveOn(t, behind, server.Listeners{Public: everywhere{second}})
	if got := status("http://" + second.Addr().String() + "/v1/me"); got != http.StatusUnauthorized {
		t.Errorf("from this machine: %d", got)
	}
}

// fromOutside is a listener on loopback to which everybody seems to connect from another machine.
type fromOutside struct{ net.Listener }

func (fromOutside) Addr() net.Addr { return everywhere{}.Addr() }

func (l fromOutside) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return strangersConn{c}, err
}

type strangersConn struct{ net.Conn }

func (strangersConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(198, 51, 100, 7), Port: 1024}
}

// Whoever is refused for plain HTTP is in the log: it may be a proxy of ours that nobody named.
func TestRefusedForPlainHTTPIsLoggedWithItsAddress(t *testing.T) {
	s, log := newServer(t, "https://auth.example.com", func(c *server.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	listener := listenHere(t)
	stop := serveOn(t, s, server.Listeners{Public: fromOutside{listener}})
	if got := status("http://" + listener.Addr().String() + "/v1/me"); got != http.StatusForbidden {
		t.Errorf("from another machine: %d", got)
	}
	if err := stop(); err != nil || !strings.Contains(log.String(), `"status":403`) || !strings.Contains(log.String(), `"client":"198.51.100.7"`) {
		t.Errorf("%v, %s", err, log.String())
	}
}

// The redirect leads to the issuer, whatever host was asked for, and takes nothing that was sent in the clear.
func TestRedirect(t *testing.T) {
	listener, redirect := listenHere(t), listenHere(t)
	s, _ := newServer(t, "https://auth.example.com", nil)
	challenged := false
	serveOn(t, s, server.Listeners{Public: listener, Redirect: redirect, Challenges: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { challenged = true; next.ServeHTTP(w, r) })
	}})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for method, want := range map[string]int{http.MethodGet: http.StatusMovedPermanently, http.MethodPost: http.StatusForbidden} {
		request, err := http.NewRequest(method, "http://"+redirect.Addr().String()+"/v1/login?token=secret", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "evil.example.com"
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want || want == http.StatusMovedPermanently && response.Header.Get("Location") != "https://auth.example.com" {
			t.Errorf("%s: %s to %q", method, response.Status, response.Header.Get("Location"))
		}
	}
	if !challenged {
		t.Error("the authority's challenges aren't answered")
	}
}

// TLS is that of the listeners' configuration, with HTTP/2, and the bounds hold there too.
func TestTLS(t *testing.T) {
	stranger := httptest.NewTLSServer(http.NotFoundHandler()) // has a certificate, and a client that trusts it
	defer stranger.Close()
	listener := listenHere(t)
	s, _ := newServer(t, "https://auth.example.com", nil)
	serveOn(t, s, server.Listeners{Public: everywhere{listener}, TLS: &tls.Config{
		Certificates: stranger.TLS.Certificates, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}})
	for _, http2 := range []bool{true, false} {
		transport := stranger.Client().Transport.(*http.Transport).Clone()
		transport.ForceAttemptHTTP2 = http2
		if !http2 {
			transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
		}
		response, err := (&http.Client{Transport: transport}).Get("https://" + listener.Addr().String() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		transport.CloseIdleConnections()
		if response.StatusCode != http.StatusOK || response.ProtoMajor == 2 != http2 {
			t.Errorf("%s over %s", response.Status, response.Proto)
		}
	}
	response, err := http.Get("http://" + listener.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP on the TLS port: %s", response.Status)
	}
}
