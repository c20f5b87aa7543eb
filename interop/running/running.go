// Package running serves a whole token server on loopback, for tests of its clients.
package running

import (
	"context"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
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
	Client         *http.Client // trusts the server's certificate
	Roots          string       // PEM file of that certificate; "": without TLS
	config         server.Config
}

// InviteAdmin makes a code for an administrator, as the operator does.
func (s Server) InviteAdmin(ctx context.Context) (code string, expires time.Time, err error) {
	return server.InviteAdmin(ctx, s.config)
}

// Start serves until the test ends, and beside the server's own routes whatever register adds to its origin.
func Start(t *testing.T, register ...func(*http.ServeMux, Server)) Server {
	t.Helper()
	return serve(t, "http", "127.0.0.1", (*httptest.Server).Start, register)
}

// StartNamed is Start under the name localhost, for passkeys: browsers have none for addresses.
func StartNamed(t *testing.T, register ...func(*http.ServeMux, Server)) Server {
	t.Helper()
	return serve(t, "http", "localhost", (*httptest.Server).Start, register)
}

// StartTLS serves over TLS, as clients want it that know no exceptions for loopback. Client trusts its certificate, and
// Roots is the file that others need.
func StartTLS(t *testing.T) Server {
	t.Helper()
	return serve(t, "https", "127.0.0.1", (*httptest.Server).StartTLS, nil)
}

func serve(t *testing.T, scheme, host string, begin func(*httptest.Server), register []func(*http.ServeMux, Server)) Server {
	t.Helper()
	mux := http.NewServeMux()
	serving := httptest.NewUnstartedServer(mux)
	letters := &Letters{came: make(chan struct{}, 1)}
	_, port, err := net.SplitHostPort(serving.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	url, credential := scheme+"://"+net.JoinHostPort(host, port), server.NewSecret().Text()
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
	running := Server{Server: s, URL: url, FeedCredential: credential, Letters: letters, config: config}
	mux.Handle("/", s.Handler())
	for _, add := range register {
		add(mux, running)
	}
	begin(serving) // until Close
	t.Cleanup(func() {
		serving.CloseClientConnections()
		serving.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	running.Client = serving.Client()
	if certificate := serving.Certificate(); certificate != nil {
		running.Roots = filepath.Join(t.TempDir(), "roots.pem")
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
		if err := os.WriteFile(running.Roots, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return running
}
