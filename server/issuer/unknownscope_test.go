package issuer_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/issuer"
)

// A scope of a declared client that none of its resources knows is told of at the start, until one in the database
// knows it.
func TestUnknownScope(t *testing.T) {
	var log logtest.Buffer
	c := config()
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	c.Clients = []issuer.Client{
		{ID: "client_app", FirstParty: true, Scopes: []string{"pets:read", "openid", "offline_access", issuer.ScopeAdmin}},
		{ID: "client_typo", Scopes: []string{"pets:raed"}},
		{ID: "client_elsewhere", Scopes: []string{"pets:read"}, Resources: []string{"stored"}},
	}
	f := newFixture(t, c)
	said := log.Take()
	if strings.Count(said, "level=WARN") != 2 || !strings.Contains(said, "client=client_typo scope=pets:raed") || !strings.Contains(said, "client=client_elsewhere scope=pets:read") {
		t.Errorf("logged %q", said)
	}
	f.do(f.CreateResource(t.Context(), issuer.Resource{Audience: "stored", Scopes: []string{"pets:read"}}))
	f.restart()
	if said := log.Take(); strings.Count(said, "level=WARN") != 1 || !strings.Contains(said, "client_typo") {
		t.Errorf("logged %q", said)
	}
	if unknown := f.config.UnknownScopes(); len(unknown) != 2 {
		t.Errorf("without the database: %+v", unknown)
	}
}
