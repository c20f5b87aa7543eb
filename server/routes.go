package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/admin"
	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/internal/console"
	"github.com/jot-auth/jot/server/internal/feed"
	"github.com/jot-auth/jot/server/internal/foreign"
	"github.com/jot-auth/jot/server/internal/forward"
	"github.com/jot-auth/jot/server/internal/oauth"
	"github.com/jot-auth/jot/server/internal/openapi"
	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/internal/web"
)

// routes wires each part to the small interfaces of the others.
func (s *Server) routes(ctx context.Context, c Config) (http.Handler, error) {
	if err := s.openAccounts(ctx, c); err != nil {
		return nil, err
	}
	protocols, err := oauth.New(peopledIssuer{s.issuer, s.accounts}, countedAccounts{s.accounts, &s.logins})
	if err != nil {
		return nil, err
	}
	base, err := web.BasePath(s.issuer.URL())
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	protocols.Register(mux)
	if err := s.register(mux, c); err != nil {
		return nil, err
	}
	s.registerHealth(mux, base)
	s.metrics.Watch(measures, s.measure)
	changes := &enforcement{server: s, mux: mux, base: base, next: web.Problems(mux), failOAuth: protocols.Fail}
	return s.surround(c, base, s.witness.guard(changes)), nil
}

// openAccounts opens the outbox, and the accounts, whose secrets it seals with the present key-encryption key.
func (s *Server) openAccounts(ctx context.Context, c Config) (err error) {
	settings := accounts.Config{
		Invited:     !c.OpenSignUp,
		SignUpScope: c.SignUpScope, SignUpClaims: c.SignUpClaims, NoThrottling: c.NoThrottling,
		Links: c.Mail.links(c.Issuer.URL),
	}
	if s.outbox = c.Mail.openOutbox(c.Logger); s.outbox != nil {
		settings.Post = post{s.outbox}
	}
	s.accounts, err = accounts.New(s.store, s.issuer, settings)
	if err == nil && len(c.Issuer.OlderKeyEncryptionKeys) > 0 {
		err = accounts.ResealFactors(ctx, s.store, s.issuer)
	}
	return err
}

// register adds the routes of every part but OAuth's.
func (s *Server) register(mux *http.ServeMux, c Config) error {
	people := countedAccounts{s.accounts, &s.logins}
	firstParty, err1 := api.New(s.issuer, s.issuer.Verifier(), people, api.Options{
		OpenSignUp: c.OpenSignUp, InviteSignUp: c.InviteSignUp, TrustedOrigins: c.CORSOrigins,
	})
	pages, err2 := console.New(s.issuer, people, console.Options{Templates: c.Templates, Mail: s.outbox != nil})
	logouts, err3 := foreign.New(s.issuer)
	administration, err4 := admin.New(s.issuer, accounts.NewAdmin(s.accounts, s.store))
	forwarded, err5 := forward.New(s.issuer, s.proxies)
	var err6 error
	s.feed, err6 = feed.New(s.issuer, feed.Config{
		Credentials: c.FeedCredentials, MaxStaleness: c.FeedMaxStaleness, Logger: c.Logger, Alone: c.Database == "",
	})
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return err
	}
	for _, part := range []interface{ Register(*http.ServeMux) }{administration, firstParty, pages, forwarded, s.feed, logouts} {
		part.Register(mux)
	}
	return openapi.Register(mux, s.issuer.URL())
}

// surround puts around the routes what is true of every request, the outermost last.
func (s *Server) surround(c Config, base string, routes http.Handler) http.Handler {
	inner := web.CORS{Base: base, Origins: c.CORSOrigins}.Handler(routes)
	logged := telemetry.Requests{Logger: c.Logger, Address: web.ClientAddress, Metrics: s.metrics}.Handler(inner)
	return s.proxies.Notice(s.warnOfProxy, s.proxies.Handler(logged))
}

func (s *Server) warnOfProxy(proxy netip.Addr) {
	s.logger.Warn("a proxy that nobody named says whom it speaks for: all its clients are logged and throttled as one; name it in trusted_proxies",
		slog.String("address", proxy.String()))
}
