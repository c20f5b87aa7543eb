// Package server is the token server: accounts, sessions, OAuth endpoints and the revocation feed behind one
// http.Handler. The command jot serves it, and a Go program mounts it into a mux of its own, by the same door, New.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/backchannel"
	"github.com/jot-auth/jot/server/internal/feed"
	"github.com/jot-auth/jot/server/internal/foreign"
	"github.com/jot-auth/jot/server/internal/mail"
	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// DatabaseName is the SQLite file within Config.DataDir.
const DatabaseName = "jot.db"

// A verifier hears from the feed each second; nobody waits for hours.
const (
	minFeedStaleness = 2 * time.Second
	maxFeedStaleness = time.Hour
)

// Config says what the server is. Issuer.URL, Issuer.Resources, Issuer.Clients, Issuer.KeyEncryptionKey, and Database
// or DataDir are required.
type Config struct {
	// Issuer are the rules of tokens: who issues them, for which APIs and clients, and how long they live.
	Issuer issuer.Config

	// Database is the connection string of a PostgreSQL database, postgres://…, as sqlstore.OpenPostgres takes it. Any
	// number of servers may share it, with one URL and one key-encryption key. "" is a SQLite file in DataDir, for one
	// server.
	Database string
	// DatabaseWait is for how long New tries again where a PostgreSQL database can't be reached, as after a power cut,
	// up to an hour; 0: not at all. What waiting doesn't mend, such as a wrong password, is an error at once.
	DatabaseWait time.Duration
	// DataDir is the directory of the SQLite file. It's made, with mode 0700, when it doesn't exist. Unused with
	// Database.
	DataDir string

	// WitnessFile remembers how far the revocation log has come, so that a database which comes back from the past is
	// seen at the start. It stands outside of the data directory and its backups, and each server has its own. "" is
	// beside the data directory; without one, nothing is remembered.
	WitnessFile string

	// OpenSignUp lets anybody make an account, InviteSignUp whoever has an invitation of an administrator's; without
	// both nobody can.
	OpenSignUp   bool
	InviteSignUp bool
	// SignUpScope is what a new subject may do, and SignUpClaims, a JSON object, what its tokens say of it.
	SignUpScope  []string
	SignUpClaims json.RawMessage

	// Mail is how people are written to.
	Mail Mail

	// NoThrottling lets anybody guess passwords as fast as the server computes hashes, for whoever throttles in front
	// of it.
	NoThrottling bool

	// FeedCredentials are the bearer credentials that verifiers show to read the revocation feed, each at least 32
	// characters of randomness, as Secret.Text returns. Without one, nobody can read it.
	FeedCredentials []string

	// FeedMaxStaleness bounds the MaxStaleness of verifiers, and so how long a request with ?wait=enforced can take: a
	// verifier that can't be reached accepts tokens for so long after what it heard last. 0 means a minute.
	FeedMaxStaleness time.Duration

	// TrustedProxies are the networks of the proxies whose header says who a request comes from; everybody else's is
	// ignored. ProxyHeader is the one that they write, "X-Forwarded-For" ("") or "Forwarded" (RFC 7239).
	TrustedProxies []netip.Prefix
	ProxyHeader    string

	// CORSOrigins are the origins, such as https://app.example.com, whose pages may use /v1 and the token endpoints
	// from a browser.
	CORSOrigins []string

	// Templates is a folder whose files take the place of the built-in pages of the same name: see console.Options. ""
	// has none.
	Templates string

	// Logger takes the log; nil means slog.Default. No token, key or password is ever logged.
	Logger *slog.Logger
}

// Server is a running token server. Close ends its goroutines and closes its database.
type Server struct {
	lock     *os.File // held while this server has the data directory to itself; nil with PostgreSQL
	store    *sqlstore.Store
	issuer   *issuer.Issuer
	accounts *accounts.Accounts
	outbox   *mail.Outbox // nil where no mail is sent
	feed     *feed.Server
	sender   *backchannel.Sender
	foreign  foreign.KeySources // of the issuers whose logouts are taken
	witness  *witness
	handler  http.Handler
	logger   *slog.Logger

	proxies  web.Proxies
	metrics  *telemetry.Metrics
	logins   loginCounts
	draining atomic.Bool // the server is about to end: send it nobody new
	bounds   bounds
}

// Validate says what is wrong with a Config, before New makes or opens anything.
func (c Config) Validate() error {
	if c.Database == "" && c.DataDir == "" {
		return errors.New("config: DataDir is empty: name the directory for the database, or a PostgreSQL database in Database")
	}
	if c.Database != "" && !sqlstore.IsPostgres(c.Database) {
		return errors.New("config: Database isn't the connection string of a PostgreSQL database: write it as postgres://USER@HOST/DATABASE?sslmode=verify-full")
	}
	if c.DatabaseWait < 0 || c.DatabaseWait > maxDatabaseWait {
		return fmt.Errorf("config: DatabaseWait is %v, want at most %v", c.DatabaseWait, maxDatabaseWait)
	}
	if c.FeedMaxStaleness != 0 && (c.FeedMaxStaleness < minFeedStaleness || c.FeedMaxStaleness > maxFeedStaleness) {
		return fmt.Errorf("config: FeedMaxStaleness is %v, want %v to %v", c.FeedMaxStaleness, minFeedStaleness, maxFeedStaleness)
	}
	return errors.Join(c.Issuer.Validate(), foreign.Validate(c.Issuer.ForeignIssuers), c.checkSignUpScope(), c.Mail.Validate(), c.proxies().Validate(), web.ValidateOrigins(c.CORSOrigins),
		checkWitnessPath(c.witnessFile(), c.DataDir))
}

func (c Config) proxies() web.Proxies {
	return web.Proxies{Trusted: c.TrustedProxies, Header: c.ProxyHeader}
}

// witnessFile is "" where there is no place for one.
func (c Config) witnessFile() string {
	if c.WitnessFile == "" && c.DataDir != "" {
		return defaultWitness(c.DataDir)
	}
	return c.WitnessFile
}

func (c Config) database() string { return filepath.Join(c.DataDir, DatabaseName) }

// New opens the database, brings it up to date, and wires the parts. A Config that leaves something dangerous open is
// refused.
func New(ctx context.Context, c Config) (*Server, error) {
	return whenReachable(ctx, c)
}

func newServer(ctx context.Context, c Config) (_ *Server, err error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	c.Logger = c.logger()
	if c.Issuer.Logger == nil {
		c.Issuer.Logger = c.Logger
	}
	s := &Server{logger: c.Logger, proxies: c.proxies(), metrics: newMetrics(), bounds: usualBounds}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := s.open(ctx, c); err != nil {
		return nil, fmt.Errorf("server: opening the database: %w", err)
	}
	if err := checkWitness(ctx, s.store, c.witnessFile()); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if c.Issuer.ForeignIssuers, s.foreign, err = foreign.WithKeys(c.Issuer.ForeignIssuers); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if s.issuer, err = issuer.New(ctx, s.store, c.Issuer); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if s.witness, err = startWitness(ctx, c.witnessFile(), s.store, s.issuer, c.Logger); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if s.handler, err = s.routes(ctx, c); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s.sender = backchannel.Start(ctx, s.issuer, c.Logger)
	return s, nil
}

// open opens the database that the configuration chooses.
func (s *Server) open(ctx context.Context, c Config) (err error) {
	if c.Database == "" && missing(c.database()) && !missing(c.witnessFile()) {
		return fmt.Errorf("%s is missing, and %s remembers that there was one: restore a backup with 'jot restore', or remove that file to begin anew", c.database(), c.witnessFile())
	}
	if c.Database == "" { // before the database is brought up to date, which the server that has it may not bear
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			return err
		}
		if s.lock, err = lockDataDir(c.DataDir); err != nil {
			return err
		}
	}
	s.store, err = openStore(ctx, c, sqlstore.Options{OverNewer: true, Logger: s.logger})
	if err == nil && s.store.Schema().Newer() {
		s.logger.Warn("the database's schema is a newer version's: start that one here too, once it has proved itself", slog.Int64("schema", s.store.Schema().Version), slog.Int64("known", s.store.Schema().Newest))
	}
	return err
}

func openStore(ctx context.Context, c Config, o sqlstore.Options) (*sqlstore.Store, error) {
	if c.Database != "" {
		return sqlstore.OpenPostgres(ctx, c.Database, o)
	}
	return sqlstore.Open(ctx, c.database(), o)
}

// checkSignUpScope refuses a scope that no resource knows: nobody would ever get it.
func (c Config) checkSignUpScope() error {
	for _, scope := range c.SignUpScope {
		known := slices.ContainsFunc(c.Issuer.Resources, func(r issuer.Resource) bool { return slices.Contains(r.Scopes, scope) })
		if !known {
			return fmt.Errorf("no resource has the scope %.64q, which an account is to get at sign-up", scope)
		}
	}
	return nil
}

// Handler serves every endpoint, below the path of the issuer's URL. Serve serves it with timeouts; whoever mounts it
// elsewhere sets timeouts of their own, and calls Close before http.Server.Shutdown, which would wait for the feed's
// streams. Below a path such as /auth, mount /.well-known/oauth-authorization-server/auth as well (RFC 8414 §3.1).
func (s *Server) Handler() http.Handler { return s.handler }

// Issuer is the domain behind the endpoints: it issues tokens to users of your own, changes claims, rotates keys.
func (s *Server) Issuer() *issuer.Issuer { return s.issuer }

// SignUp makes an account and its subject, as POST /v1/signup does, whether or not sign-up is open, and without
// throttling. It returns the subject's ID. A name or password that no account may have is an *issuer.InputError, a name
// that exists issuer.ErrTaken, and too many callers are issuer.ErrBusy.
func (s *Server) SignUp(ctx context.Context, name, password string) (subject string, err error) {
	return s.accounts.Add(ctx, name, password)
}

// Close ends the feed's streams, what tells clients of logouts, the outbox, whose letters are lost, the witness, the
// issuer's upkeep, the fetching of other issuers' keys and the database, in this order.
func (s *Server) Close() error {
	var errs []error
	if s.feed != nil {
		errs = append(errs, s.feed.Close())
	}
	if s.sender != nil {
		errs = append(errs, s.sender.Close())
	}
	if s.outbox != nil {
		errs = append(errs, s.outbox.Close())
	}
	if s.witness != nil {
		errs = append(errs, s.witness.close())
	}
	if s.issuer != nil {
		errs = append(errs, s.issuer.Close())
	}
	errs = append(errs, s.foreign.Close())
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
