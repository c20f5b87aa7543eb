package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/jot-auth/jot/server/internal/loopback"
	"golang.org/x/net/netutil"

	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/internal/web"
)

// bounds are those on each connection. Handlers answer well within the refresh grace, so that a client whose answer was
// lost may try again in time.
type bounds struct {
	header, read, write, idle time.Duration // the feed's streams set their own for writing, frame by frame
	answer                    time.Duration // for what a handler waits for: then there is time left to say so
	end                       time.Duration // for requests that are under way when the server ends
	headerBytes               int
	connections               int // above the feed's bound on streams, so that verifiers leave room for people
	ofOneAddress              int // of these, but for proxies that are named and this machine
	streams                   int // of one connection of HTTP/2
}

var usualBounds = bounds{
	header: 5 * time.Second, read: 10 * time.Second, write: 15 * time.Second, idle: time.Minute,
	answer: 12 * time.Second, end: 10 * time.Second,
	headerBytes: 64 << 10, connections: 8192, ofOneAddress: 2048, streams: 100,
}

const (
	sideConnections = 64              // of the listeners beside the public one
	profileTimeout  = 2 * time.Minute // for an answer of the admin listener: profiles take their time
	drainInterval   = 10 * time.Millisecond
)

// Listeners are where a server answers. Serve closes them.
type Listeners struct {
	Public net.Listener
	// TLS encrypts Public; it should offer "h2" in NextProtos. Without it, Public has to be on loopback, or the
	// requests come through Config.TrustedProxies: all others are answered with 403.
	TLS *tls.Config

	// Redirect, if any, answers plain HTTP with a redirect to the issuer's URL. Challenges, if any, stands before that
	// and answers an ACME authority.
	Redirect   net.Listener
	Challenges func(http.Handler) http.Handler

	// Admin, if any, answers /metrics, /healthz, /readyz and, to this machine alone, /debug/pprof. It knows no
	// passwords: never let it be reached from outside.
	Admin net.Listener

	// Drain is for how long /readyz answers 503 before connections are refused, so that a load balancer notices in
	// time.
	Drain time.Duration
}

// Serve serves plain HTTP on one listener, as ServeOn does.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	return s.ServeOn(ctx, Listeners{Public: listener})
}

// ServeOn answers requests on the listeners until ctx ends, with a timeout on everything and at most 8192 connections,
// 2048 of them from one address. Then it turns /readyz to 503 and waits for Listeners.Drain, refuses new connections,
// lets requests that are under way finish for up to 10 seconds, ends the feed's streams, and closes the listeners. The
// Server itself stays open.
func (s *Server) ServeOn(ctx context.Context, l Listeners) error {
	all, err := s.endpoints(l)
	if err != nil {
		return err
	}
	s.draining.Store(false)
	failed := make(chan error, len(all))
	for _, one := range all {
		go func() { failed <- one.serve() }() // ends with Shutdown or Close below
	}
	s.logger.Info("the server is up", slog.String("issuer", s.issuer.URL()), slog.String("address", l.Public.Addr().String()))
	running := len(all)
	select {
	case err = <-failed: // one can't go on: end the others
		running--
		s.draining.Store(true)
	case <-ctx.Done():
		s.draining.Store(true)
		s.logger.Info("the server ends", slog.String("drain", l.Drain.String()))
		time.Sleep(l.Drain)
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.bounds.end)
	defer cancel()
	for n, one := range all {
		if n == 0 {
			err = errors.Join(err, s.shutDownPublic(grace, one))
		} else {
			err = errors.Join(err, one.shutDown(grace))
		}
	}
	for range running {
		<-failed
	}
	s.logger.Info("the server has ended")
	return err
}

// shutDownPublic lets requests finish first, since a logout among them is news for the feed's streams; then it ends
// those.
func (s *Server) shutDownPublic(grace context.Context, public *endpoint) (err error) {
	ended := make(chan error, 1)
	go func() { ended <- public.shutDown(grace) }() // ends with grace at the latest
	tick := time.NewTicker(drainInterval)
	defer tick.Stop()
	var over <-chan struct{} // grace, once only streams are left
	for over == nil || s.feed.Streams() > 0 {
		select {
		case err = <-ended:
			over = grace.Done()
		case <-tick.C:
			if s.metrics.InFlight() <= s.feed.Answering() {
				s.feed.EndStreams() // and again, for a stream that was joining
			}
		case <-over:
			return err
		}
	}
	return err
}

// endpoint is one listener with what answers on it.
type endpoint struct {
	http.Server
	listener net.Listener
}

// serve returns nil when shutDown has begun.
func (e *endpoint) serve() error {
	var err error
	if e.TLSConfig != nil {
		err = e.ServeTLS(e.listener, "", "")
	} else {
		err = e.Serve(e.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// shutDown cuts the connections that don't end in time.
func (e *endpoint) shutDown(grace context.Context) error {
	err := e.Shutdown(grace)
	if err != nil {
		err = errors.Join(err, e.Close())
	}
	return err
}

// endpoints makes one of each listener; the public one is the first, and the one for admins ends last.
func (s *Server) endpoints(l Listeners) ([]*endpoint, error) {
	handler := s.handler
	if l.TLS == nil && !onLoopback(l.Public) {
		if len(s.proxies.Trusted) == 0 {
			return nil, fmt.Errorf("plain HTTP on %s: passwords and tokens would travel unencrypted; use TLS, name the proxies that do, or listen on 127.0.0.1", l.Public.Addr())
		}
		base, err := web.BasePath(s.issuer.URL())
		if err != nil {
			return nil, err
		}
		refuse := telemetry.Requests{Logger: s.logger, Address: web.ClientAddress}.Handler(http.HandlerFunc(web.RefuseUnencrypted))
		handler = s.proxies.Only(base, refuse, handler)
	}
	public := s.publicEndpoint(l.Public, handler)
	if l.TLS != nil {
		public.TLSConfig = l.TLS.Clone()
	}
	all := []*endpoint{public}
	if l.Redirect != nil {
		all = append(all, s.sideEndpoint(l.Redirect, l.redirect(s.issuer.URL())))
	}
	if l.Admin != nil {
		admin := s.sideEndpoint(l.Admin, s.adminHandler())
		admin.WriteTimeout = profileTimeout
		all = append(all, admin)
	}
	return all, nil
}

// publicEndpoint leaves room for everybody, whatever one address does.
func (s *Server) publicEndpoint(listener net.Listener, handler http.Handler) *endpoint {
	spokesman := func(peer netip.Addr) bool { return peer.IsLoopback() || s.proxies.Trusts(peer) }
	return s.endpoint(limitAddresses(listener, s.bounds.ofOneAddress, spokesman), s.bounds.connections, endLate(s.bounds.answer, handler))
}

// sideEndpoint is of a listener beside the public one.
func (s *Server) sideEndpoint(listener net.Listener, handler http.Handler) *endpoint {
	return s.endpoint(listener, sideConnections, handler)
}

func (s *Server) endpoint(listener net.Listener, connections int, handler http.Handler) *endpoint {
	return &endpoint{listener: netutil.LimitListener(listener, connections), Server: http.Server{
		Handler:           handler,
		ReadHeaderTimeout: s.bounds.header,
		ReadTimeout:       s.bounds.read,
		WriteTimeout:      s.bounds.write,
		IdleTimeout:       s.bounds.idle,
		MaxHeaderBytes:    s.bounds.headerBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: s.bounds.streams},
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}}
}

func onLoopback(listener net.Listener) bool {
	return loopback.Ends(listener.Addr().String()) || listener.Addr().Network() == "unix"
}

// redirect answers ACME's challenges, and leads everybody else to the issuer's own URL, whatever host was asked for.
// What was sent already was sent in the clear, so only what carries no body is led on.
func (l Listeners) redirect(issuer string) http.Handler {
	lead := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			web.RefuseUnencrypted(w, r)
			return
		}
		http.Redirect(w, r, issuer, http.StatusMovedPermanently)
	})
	if l.Challenges == nil {
		return lead
	}
	return l.Challenges(lead)
}
