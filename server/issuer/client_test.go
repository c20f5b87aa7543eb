package issuer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// createClient stores a client that may ask for what petstore knows.
func (f *fixture) createClient(id string, alter func(*issuer.Client)) {
	f.Helper()
	c := issuer.Client{ID: id, Scopes: []string{"pets:read", "pets:write"}}
	if alter != nil {
		alter(&c)
	}
	f.do(f.CreateClient(f.Context(), c))
}

func (f *fixture) loginWith(client string) issuer.Tokens {
	f.Helper()
	return f.issue(issuer.Grant{Subject: "ann", ClientID: client})
}

func (f *fixture) refreshWith(client, token string) (issuer.Tokens, error) {
	return f.Refresh(f.Context(), issuer.RefreshRequest{Token: token, ClientID: client})
}

func TestStoredClient(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_app", func(c *issuer.Client) { c.Name, c.Declared = "App", true })
	tokens := f.loginWith("client_app")
	if token := f.accept(tokens.Access); token.ClientID() != "client_app" || !slices.Equal(tokens.Scope, []string{"pets:read", "pets:write"}) {
		t.Errorf("client %s, scope %v", token.ClientID(), tokens.Scope)
	}
	f.restart()
	if _, err := f.refreshWith("client_web", tokens.Refresh); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("another client: error %v, want ErrInvalidGrant", err)
	}
	next, err := f.refreshWith("client_app", tokens.Refresh)
	f.do(err)
	f.accept(next.Access)
	c, err := f.Client(t.Context(), "client_app")
	if err != nil || c.Name != "App" || c.Declared || !c.Created.Equal(f.clock.Now()) {
		t.Errorf("client %+v, %v", c, err)
	}
}

func TestClientsAreListed(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_app", nil)
	var ids []string
	for after := ""; ; {
		page, err := f.ListClients(t.Context(), issuer.ClientFilter{}, after, 2)
		f.do(err)
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			ids = append(ids, c.ID)
			if c.Declared != (c.ID != "client_app") {
				t.Errorf("client %s: declared %v", c.ID, c.Declared)
			}
		}
		after = page[len(page)-1].ID
	}
	if want := []string{"client_app", "client_guest", "client_jot", "client_web"}; !slices.Equal(ids, want) {
		t.Errorf("clients %v, want %v", ids, want)
	}
}

// clientIDs lists the clients that a filter lets through, two at a time.
func (f *fixture) clientIDs(filter issuer.ClientFilter) []string {
	f.Helper()
	var ids []string
	for after := ""; ; after = ids[len(ids)-1] {
		page, err := f.ListClients(f.Context(), filter, after, 2)
		f.do(err)
		for _, c := range page {
			ids = append(ids, c.ID)
		}
		if len(page) < 2 {
			return ids
		}
	}
}

// TestClientFilter: declared and stored clients are found alike, also behind many that don't match, and a stored one
// that the configuration declares by now isn't found by what it was.
func TestClientFilter(t *testing.T) {
	f := newFixture(t, config())
	f.do(f.store.Update(t.Context(), func(tx issuer.Tx) error {
		for n := range issuer.MaxPage + 5 {
			if err := tx.InsertClient(issuer.Client{ID: fmt.Sprintf("client_%04d", n)}); err != nil {
				return err
			}
		}
		return nil
	}))
	f.createClient("client_zeta", func(c *issuer.Client) { c.Name, c.FirstParty = "Größe", true })
	_, secret := issuer.NewClientSecret()
	f.createClient("client_zz", func(c *issuer.Client) { c.Name, c.SecretHash = "a gRÖsse, a gröSSe", secret })
	f.createClient("client_late", func(c *issuer.Client) { c.Name = "grö" })
	f.config.Clients = append(f.config.Clients, issuer.Client{ID: "client_late", Name: "of late"})
	f.restart()
	yes, no := true, false
	for _, test := range []struct {
		filter issuer.ClientFilter
		want   []string
	}{
		{issuer.ClientFilter{Text: "GRÖ"}, []string{"client_zeta", "client_zz"}},
		{issuer.ClientFilter{Text: "Of Late"}, []string{"client_late"}},
		{issuer.ClientFilter{Text: "_000"}, []string{"client_0000", "client_0001", "client_0002", "client_0003", "client_0004", "client_0005", "client_0006", "client_0007", "client_0008", "client_0009"}},
		{issuer.ClientFilter{Confidential: &yes}, []string{"client_zz"}},
		{issuer.ClientFilter{Text: "client_z", FirstParty: &yes}, []string{"client_zeta"}},
		{issuer.ClientFilter{Text: "client_z", FirstParty: &no, Confidential: &no}, nil},
		{issuer.ClientFilter{Text: "%"}, nil},
	} {
		if got := f.clientIDs(test.filter); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v, want %v", test.filter, got, test.want)
		}
	}
	var input *issuer.InputError
	for _, text := range []string{strings.Repeat("a", 256), "a\x00", "\xff"} {
		if _, err := f.ListClients(t.Context(), issuer.ClientFilter{Text: text}, "", 10); !errors.As(err, &input) {
			t.Errorf("text %.10q: error %v", text, err)
		}
	}
}

func TestBadClients(t *testing.T) {
	f := newFixture(t, config())
	var input *issuer.InputError
	for name, c := range map[string]issuer.Client{
		"no prefix":       {ID: "app"},
		"prefix alone":    {ID: "client_"},
		"control":         {ID: "client_a\n"},
		"name":            {ID: "client_a", Name: "\x00"},
		"scope":           {ID: "client_a", Scopes: []string{"a b"}},
		"scope in quotes": {ID: "client_a", Scopes: []string{`"a"`}},
		"backslash":       {ID: "client_a", Scopes: []string{`a\b`}},
		"delete":          {ID: "client_a", Scopes: []string{"a\x7f"}},
		"long scope":      {ID: "client_a", Scopes: []string{strings.Repeat("~", 65)}},
		"resources":       {ID: "client_a", Resources: []string{"a", "a"}},
		"access TTL":      {ID: "client_a", AccessTTL: time.Millisecond},
		"long access TTL": {ID: "client_a", AccessTTL: 25 * time.Hour},
		"idle TTL":        {ID: "client_a", IdleTTL: -1},
		"type":            {ID: "client_a", AccessType: "jot-feed+jwt"},
		"algorithm":       {ID: "client_a", Algorithm: "HS256"},
		"secret":          {ID: "client_a", SecretHash: []byte("secret")},

		"too many scopes":        {ID: "client_a", Scopes: numbered("scope:%d", 65)},
		"redirect URI":           {ID: "client_a", RedirectURIs: []string{callback, "http://app.example.com/callback"}},
		"redirect URI twice":     {ID: "client_a", RedirectURIs: []string{callback, callback}},
		"too many of them":       {ID: "client_a", RedirectURIs: numbered("https://app.example.com/%d", 17)},
		"after a logout":         {ID: "client_a", PostLogoutRedirectURIs: []string{"https://app.example.com/#bye"}},
		"back channel":           {ID: "client_a", BackchannelLogoutURI: "http://app.example.com/logout"},
		"back channel to an app": {ID: "client_a", BackchannelLogoutURI: "com.example.app:/logout"},
	} {
		if err := f.CreateClient(t.Context(), c); !errors.As(err, &input) {
			t.Errorf("%s: error %v, want an InputError", name, err)
		}
	}
	f.do(f.CreateClient(t.Context(), issuer.Client{
		ID: "client_a", Scopes: append(numbered("scope:%d", 63), strings.Repeat("~", 64)), RedirectURIs: numbered("https://app.example.com/%d", 16), BackchannelLogoutURI: "http://127.0.0.1/logout",
	}))
	for _, id := range []string{"client_web", issuer.CommandClient} {
		if err := f.CreateClient(t.Context(), issuer.Client{ID: id}); !errors.Is(err, issuer.ErrTaken) {
			t.Errorf("creating %s: error %v, want ErrTaken", id, err)
		}
		if _, err := f.ChangeClient(t.Context(), id, func(*issuer.Client) error { return nil }); !errors.Is(err, issuer.ErrDeclared) {
			t.Errorf("changing %s: error %v, want ErrDeclared", id, err)
		}
		if err := f.DeleteClient(t.Context(), id); !errors.Is(err, issuer.ErrDeclared) {
			t.Errorf("deleting %s: error %v, want ErrDeclared", id, err)
		}
	}
	if err := f.DeleteClient(t.Context(), "client_unknown"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

// numbered returns as many texts as are asked for, each with its number.
func numbered(format string, count int) (texts []string) {
	for n := range count {
		texts = append(texts, fmt.Sprintf(format, n))
	}
	return texts
}

// TestDeclaredClientWins: a client that the configuration begins to declare is what the configuration says.
func TestDeclaredClientWins(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_app", nil)
	tokens := f.loginWith("client_app")
	f.config.Clients = append(f.config.Clients, issuer.Client{ID: "client_app", Scopes: []string{"pets:read"}})
	f.restart()
	next, err := f.refreshWith("client_app", tokens.Refresh)
	f.do(err)
	if !slices.Equal(next.Scope, []string{"pets:read"}) {
		t.Errorf("scope %v, want the declared client's", next.Scope)
	}
	if _, err := f.ChangeClient(t.Context(), "client_app", func(*issuer.Client) error { return nil }); !errors.Is(err, issuer.ErrDeclared) {
		t.Errorf("error %v, want ErrDeclared", err)
	}
}

func TestChangeClientNarrowsItsSessions(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_app", nil)
	tokens := f.loginWith("client_app")
	change := func(scopes ...string) {
		c, err := f.ChangeClient(t.Context(), "client_app", func(c *issuer.Client) error {
			c.ID, c.Scopes = "client_other", scopes
			return nil
		})
		if err != nil || c.ID != "client_app" {
			t.Fatalf("client %+v, %v", c, err)
		}
	}
	for _, step := range [][]string{{"pets:read"}, {"pets:read", "pets:write", "pets:admin"}} {
		change(step...)
		var err error
		tokens, err = f.refreshWith("client_app", tokens.Refresh)
		f.do(err)
		if slices.Contains(tokens.Scope, "pets:admin") || !slices.Contains(tokens.Scope, "pets:read") || slices.Contains(tokens.Scope, "pets:write") != slices.Contains(step, "pets:write") {
			t.Errorf("scope %v after the client's became %v", tokens.Scope, step)
		}
	}
	refusal := errors.New("no")
	if _, err := f.ChangeClient(t.Context(), "client_app", func(*issuer.Client) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("error %v, want the caller's own", err)
	}
	if _, err := f.ChangeClient(t.Context(), "client_app", func(c *issuer.Client) error { c.AccessType = "x"; return nil }); err == nil {
		t.Error("a change to a type that there isn't was taken")
	}
	if _, err := f.ChangeClient(t.Context(), "client_unknown", func(*issuer.Client) error { return nil }); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

func TestClientResources(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_zoo", func(c *issuer.Client) {
		c.Resources, c.Scopes = []string{"zoo", "petstore"}, []string{"zoo:visit", "pets:read"}
	})
	f.createClient("client_none", func(c *issuer.Client) { c.Resources = []string{} })
	tokens := f.loginWith("client_zoo")
	if token := f.accept(tokens.Access); !slices.Equal(token.Audience(), []string{"zoo"}) {
		t.Errorf("audience %v, want the client's first resource", token.Audience())
	}
	for _, g := range []issuer.Grant{
		{Subject: "ann", ClientID: "client_none"},
		{Subject: "ann", ClientID: "client_none", Resource: "petstore"},
		{Subject: "ann", ClientID: "client_zoo", Resource: f.AdminAudience()},
	} {
		if _, err := f.Issue(t.Context(), g); !errors.Is(err, issuer.ErrInvalidTarget) {
			t.Errorf("%+v: error %v, want ErrInvalidTarget", g, err)
		}
	}
	_, err := f.ChangeClient(t.Context(), "client_zoo", func(c *issuer.Client) error { c.Resources = []string{"petstore"}; return nil })
	f.do(err)
	if _, err := f.refreshWith("client_zoo", tokens.Refresh); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("a session for a resource that its client lost: error %v, want ErrInvalidGrant", err)
	}
}

func TestClientType(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_plain", func(c *issuer.Client) { c.AccessType = "JWT" })
	tokens := f.loginWith("client_plain")
	verify := func(typ string) error {
		v, err := jot.NewVerifier(f, jot.VerifierOptions{Issuer: f.URL(), Audience: "petstore", Type: typ, Now: f.clock.Now, Revocation: f})
		f.do(err)
		return v.Check(t.Context(), tokens.Access)
	}
	f.do(verify("JWT"))
	if err := verify("at+jwt"); !errors.Is(err, jot.ErrType) {
		t.Errorf("error %v, want ErrType", err)
	}
	f.do(f.RevokeToken(t.Context(), tokens.Access, "client_plain"))
	if err := verify("JWT"); !errors.Is(err, jot.ErrRevoked) {
		t.Errorf("after it was revoked: error %v, want ErrRevoked", err)
	}
}

// TestClientLifetimes: a client may shorten each lifetime and lengthen none.
func TestClientLifetimes(t *testing.T) {
	f := newFixture(t, config())
	short := func(c *issuer.Client) { c.AccessTTL, c.IdleTTL, c.AbsoluteTTL = time.Minute, time.Hour, 90*time.Minute }
	f.createClient("client_short", short)
	f.createClient("client_long", func(c *issuer.Client) {
		c.AccessTTL, c.IdleTTL, c.AbsoluteTTL = 24*time.Hour, 1e6*time.Hour, 1e6*time.Hour
	})
	long := f.loginWith("client_long")
	if long.ExpiresIn != 15*time.Minute || long.SessionExpiresIn != 90*24*time.Hour {
		t.Errorf("a client lengthened lifetimes to %v and %v", long.ExpiresIn, long.SessionExpiresIn)
	}
	if f.MaxTTL() != 15*time.Minute {
		t.Errorf("the longest life is %v", f.MaxTTL())
	}
	idle, used := f.loginWith("client_short"), f.loginWith("client_short")
	if used.ExpiresIn != time.Minute || used.SessionExpiresIn != 90*time.Minute {
		t.Errorf("lifetimes %v and %v, want a minute and 90", used.ExpiresIn, used.SessionExpiresIn)
	}
	var err error
	for range 2 {
		f.clock.Advance(40 * time.Minute)
		used, err = f.refreshWith("client_short", used.Refresh)
		f.do(err)
	}
	for name, refresh := range map[string]string{"idle": idle.Refresh, "over": used.Refresh} {
		f.clock.Advance(11 * time.Minute)
		if _, err := f.refreshWith("client_short", refresh); !errors.Is(err, issuer.ErrInvalidGrant) {
			t.Errorf("a session that is %s: error %v, want ErrInvalidGrant", name, err)
		}
	}
}

func TestDeleteClient(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_app", nil)
	mine, other := f.loginWith("client_app"), f.login()
	f.do(f.DeleteClient(t.Context(), "client_app"))
	f.refuse(mine.Access, jot.ErrRevoked)
	f.accept(other.Access)
	if _, err := f.refreshWith("client_app", mine.Refresh); !errors.Is(err, issuer.ErrInvalidClient) {
		t.Errorf("error %v, want ErrInvalidClient", err)
	}
	if _, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann", ClientID: "client_app"}); !errors.Is(err, issuer.ErrInvalidClient) {
		t.Errorf("error %v, want ErrInvalidClient", err)
	}
	if err := f.CreateClient(t.Context(), issuer.Client{ID: "client_app"}); !errors.Is(err, issuer.ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
	f.clock.Advance(2 * time.Second)
	f.createClient("client_app", nil)
	if _, err := f.refreshWith("client_app", mine.Refresh); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("a session of the client of before: error %v, want ErrInvalidGrant", err)
	}
	f.refuse(mine.Access, jot.ErrRevoked)
	f.accept(f.loginWith("client_app").Access)
	f.restart()
	f.refuse(mine.Access, jot.ErrRevoked)
}

// TestDeleteClientWithItsSessions: they end, so that a client of that ID which the configuration names later doesn't
// get them.
func TestDeleteClientWithItsSessions(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_app", nil)
	mine := f.loginWith("client_app")
	f.do(f.DeleteClient(t.Context(), "client_app"))
	if live, _, err := f.SessionsOf(t.Context(), "ann", "", 10); err != nil || len(live) > 0 {
		t.Errorf("sessions %+v, %v", live, err)
	}
	f.config.Clients = append(f.config.Clients, issuer.Client{ID: "client_app", Scopes: []string{"pets:read"}})
	f.restart()
	f.clock.Advance(5 * time.Second)
	if _, err := f.refreshWith("client_app", mine.Refresh); !errors.Is(err, issuer.ErrInvalidGrant) {
		t.Errorf("error %v, want ErrInvalidGrant", err)
	}
}

// TestDeleteClientRace: whoever logs in or refreshes while a client is deleted is either refused or holds a token that
// is.
func TestDeleteClientRace(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_app", nil)
	var refresh []string
	for range 8 {
		refresh = append(refresh, f.loginWith("client_app").Refresh)
	}
	var wait sync.WaitGroup
	issued := make([]issuer.Tokens, 16)
	for n := range issued {
		wait.Go(func() {
			if n < len(refresh) {
				issued[n], _ = f.refreshWith("client_app", refresh[n])
			} else {
				issued[n], _ = f.Issue(t.Context(), issuer.Grant{Subject: "ann", ClientID: "client_app"})
			}
		})
	}
	wait.Go(func() { f.do(f.DeleteClient(t.Context(), "client_app")) })
	wait.Wait()
	for _, tokens := range issued {
		if tokens.Access == "" {
			continue
		}
		f.refuse(tokens.Access, jot.ErrRevoked)
		if _, err := f.refreshWith("client_app", tokens.Refresh); !errors.Is(err, issuer.ErrInvalidClient) {
			t.Errorf("error %v, want ErrInvalidClient", err)
		}
	}
}

// TestChangeClientRace: of two changes of one client neither is lost.
func TestChangeClientRace(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_app", func(c *issuer.Client) { c.Scopes = nil })
	scopes := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	var wait sync.WaitGroup
	for _, scope := range scopes {
		wait.Go(func() {
			_, err := f.ChangeClient(t.Context(), "client_app", func(c *issuer.Client) error { c.Scopes = append(c.Scopes, scope); return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	c, err := f.Client(t.Context(), "client_app")
	f.do(err)
	slices.Sort(c.Scopes)
	if !slices.Equal(c.Scopes, scopes) {
		t.Errorf("scopes %v, want %v", c.Scopes, scopes)
	}
}

// TestCommandClient: the command line's client gets admin tokens for subjects that may have them, and nothing else.
func TestCommandClient(t *testing.T) {
	f := newFixture(t, config())
	f.do(f.CreateSubject(t.Context(), issuer.Subject{ID: "root", Scope: []string{"jot:admin", "pets:read"}}))
	tokens := f.issue(issuer.Grant{Subject: "root", ClientID: issuer.CommandClient})
	token := f.accept(tokens.Access)
	if !slices.Equal(token.Audience(), []string{"https://auth.example.com/admin"}) || token.Scope() != issuer.ScopeAdmin {
		t.Errorf("audience %v, scope %v", token.Audience(), token.Scope())
	}
	if tokens := f.loginWith(issuer.CommandClient); len(tokens.Scope) != 0 {
		t.Errorf("a subject without it got scope %v", tokens.Scope)
	}
	if _, err := f.Issue(t.Context(), issuer.Grant{Subject: "root", ClientID: issuer.CommandClient, Resource: "petstore"}); !errors.Is(err, issuer.ErrInvalidTarget) {
		t.Errorf("error %v, want ErrInvalidTarget", err)
	}
	if _, err := f.Issue(t.Context(), issuer.Grant{Subject: "root", Scope: []string{"jot:admin"}}); !errors.Is(err, issuer.ErrInvalidScope) {
		t.Errorf("another client: error %v, want ErrInvalidScope", err)
	}
}
