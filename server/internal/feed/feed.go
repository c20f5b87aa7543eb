// Package feed serves the revocation feed: signed snapshots of the rules in force, segments of the log, and a live
// stream of signed frames with a heartbeat every second. Verifiers follow it with revocation.Reader.
//
// One goroutine, the hub, reads the log and signs; every connection sends the frames that the hub made once for all.
// Only the first frame of a connection is signed for it alone, with its nonce. Snapshots and segments never change:
// each is made once, by whoever asks first, and shared.
package feed

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
)

// Issuer is what this package needs of an *issuer.Issuer, the log and those who follow it.
type Issuer interface {
	Log
	Verifiers
	URL() string
	MaxTTL() time.Duration
	FeedSigner() *jot.Signer
	FeedKeySet() *jot.KeySet
	KeySetMaxAge() time.Duration
}

// Log is an issuer's log of revocation rules.
type Log interface {
	Now(ctx context.Context) (time.Time, error)
	LogChanged() <-chan struct{}
	LogHead(ctx context.Context) (revocation.Head, error)
	LogHeadNow(ctx context.Context) (revocation.Head, time.Time, error)
	LogEntries(ctx context.Context, after uint64, limit int) ([]revocation.Rule, revocation.Head, error)
	ActiveRules(ctx context.Context, last uint64, each func(revocation.Rule) error) (revocation.Head, time.Time, error)
}

const (
	defaultMaxStreams   = 4096
	defaultMaxDownloads = 32
	defaultMaxStaleness = time.Minute
)

// Config says who may read the feed, and how many at once.
type Config struct {
	Credentials  []string     // bearer credentials of verifiers, at least 32 random characters each; none: nobody may read
	MaxStreams   int          // live connections at once, more get 503; 0 means 4096
	MaxDownloads int          // snapshots and segments that are sent at once, more get 503; 0 means 32
	Logger       *slog.Logger // nil means slog.Default

	// MaxStaleness bounds that of a verifier, whose lease Enforce may have to wait for; 0 means a minute.
	MaxStaleness time.Duration

	// Alone says that no other server has the issuer's database.
	Alone bool
}

// Server serves the feed of one issuer. Close ends its goroutines and its streams.
type Server struct {
	issuer      Issuer
	base        string // path of the issuer's URL
	credentials credentials
	hub         *hub
	registry    *registry
	waiting     atomic.Int64 // requests in Enforce
	snapshots   *snapshots
	segments    *segments
	downloads   chan struct{} // holds an element for each snapshot or segment being sent
	firsts      chan struct{} // holds an element for each long first frame
	maxStreams  int64
	streams     atomic.Int64
	answering   atomic.Int64 // requests for a stream
}

// New checks the configuration and starts the hub and the registry.
func New(i Issuer, c Config) (*Server, error) {
	base, err := web.BasePath(i.URL())
	if err != nil {
		return nil, err
	}
	known, err := newCredentials(c.Credentials)
	if err != nil {
		return nil, err
	}
	if c.MaxStreams < 0 || c.MaxDownloads < 0 || c.MaxStaleness < 0 {
		return nil, errors.New("feed: a bound is negative")
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = defaultMaxStreams
	}
	if c.MaxDownloads == 0 {
		c.MaxDownloads = defaultMaxDownloads
	}
	if c.MaxStaleness == 0 {
		c.MaxStaleness = defaultMaxStaleness
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	s := &Server{
		issuer: i, base: base, credentials: known,
		snapshots: newSnapshots(i), segments: newSegments(i),
		downloads: make(chan struct{}, c.MaxDownloads), firsts: make(chan struct{}, maxLongFirsts), maxStreams: int64(c.MaxStreams),
	}
	s.registry = startRegistry(i, c)
	s.hub = startHub(i, s.registry, &s.streams, c.Logger)
	return s, nil
}

// Register adds the routes to mux, under the path of the issuer's URL.
func (s *Server) Register(mux *http.ServeMux) {
	handle := func(route string, h http.Handler) { web.Handle(mux, s.base, route, h) }
	handle("GET /feed/jwks.json", http.HandlerFunc(s.keySet))
	handle("GET /feed/snapshot", s.protect(patient(s.newestSnapshot)))
	handle("GET /feed/snapshot/{sequence}", s.protect(patient(s.snapshot)))
	handle("GET /feed/segment/{number}", s.protect(s.segment))
	handle("GET /feed/live", s.protect(s.live))
	handle("POST /feed/acknowledgement", s.protect(s.acknowledge))
}

// EndStreams ends the live streams of this moment in good order, so that an http.Server can shut down.
// Readers connect again.
func (s *Server) EndStreams() { s.hub.endStreams() }

// Streams is how many live streams are open, or about to be.
func (s *Server) Streams() int64 { return s.streams.Load() }

// Answering is how many requests for a live stream are being answered. Those of HTTP/1 are over when their stream has
// begun, and an http.Server doesn't know of that any more: after its Shutdown, wait until there are no Streams.
func (s *Server) Answering() int64 { return s.answering.Load() }

// Close ends the streams, the hub, the registry and whoever waits in Enforce. Later requests for a stream get 503. Its
// error is always nil; it may be called more than once.
func (s *Server) Close() error {
	s.hub.close()
	s.registry.close()
	return nil
}
