// Package running serves a whole token server on loopback, for tests of its clients.
package running

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// Clients and API of the server.
const (
	App      = "client_app"   // first-party
	Other    = "client_other" // somebody else's
	Audience = "petstore"
)

// Server is a server that anybody may sign up with.
type Server struct {
	*server.Server
	URL            string
	FeedCredential string
	Letters        *Letters
	config         server.Config
}

// InviteAdmin makes a code for an administrator, as the operator does.
func (s Server) InviteAdmin(ctx context.Context) (code string, expires time.Time, err error) {
	return server.InviteAdmin(ctx, s.config)
}

// Start serves until the test ends, and beside the server's own routes whatever register adds to its origin.
func Start(t *testing.T, register ...func(*http.ServeMux, Server)) Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	letters := &Letters{came: make(chan struct{}, 1)}
	url, credential := "http://"+listener.Addr().String(), server.NewSecret().Text()
	config := server.Config{
		Issuer: issuer.Config{
			URL:              url,
			Resources:        []issuer.Resource{{Audience: Audience, Scopes: []string{"pets:read", "pets:write"}}},
			Clients:          []issuer.Client{{ID: App, Scopes: []string{"pets:read"}, FirstParty: true}, {ID: Other, Scopes: []string{"pets:read"}}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		Mail:    server.Mail{Print: letters},
		DataDir: t.TempDir(), OpenSignUp: true, SignUpScope: []string{"pets:read"}, FeedCredentials: []string{credential},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		Logger:         slog.New(slog.DiscardHandler),
	}
	s, err := server.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	running, mux := Server{s, url, credential, letters, config}, http.NewServeMux()
	mux.Handle("/", s.Handler())
	for _, add := range register {
		add(mux, running)
	}
	serving := http.Server{Handler: mux}
	go serving.Serve(listener) // until Close
	t.Cleanup(func() {
		if err := serving.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return running
}
