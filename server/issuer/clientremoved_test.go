package issuer_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// TestRevokeRemovedClient: what a client has left that the configuration doesn't name any more, and what others got in
// exchange for it, can be refused.
func TestRevokeRemovedClient(t *testing.T) {
	f := newFixture(t, config())
	_, hash := issuer.NewClientSecret()
	if err := f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}); err != nil {
		t.Fatal(err)
	}
	tokens, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann", ClientID: "client_web", Resource: "petstore"})
	if err != nil {
		t.Fatal(err)
	}
	exchanged, err := f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: tokens.Access})
	if err != nil {
		t.Fatal(err)
	}
	f.config.Clients = slices.DeleteFunc(f.config.Clients, func(c issuer.Client) bool { return c.ID == "client_web" })
	f.restart()
	for name, raw := range map[string]string{"its own": tokens.Access, "the exchanged one": exchanged.Access} {
		if _, err := f.Verifier().Verify(t.Context(), raw); err != nil {
			t.Errorf("%s, before: %v", name, err)
		}
	}
	for _, id := range []string{"client_nobody", "ann", ""} {
		if err := f.RevokeClient(t.Context(), id); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := f.RevokeClient(t.Context(), "client_web"); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{"its own": tokens.Access, "the exchanged one": exchanged.Access} {
		if _, err := f.Verifier().Verify(t.Context(), raw); err == nil {
			t.Errorf("%s is good still", name)
		}
	}
}

// TestRevokeClientOfRemovedExchanger: who exchanged a client's tokens loses what it got for them when they are revoked,
// also where the configuration doesn't name it any more.
func TestRevokeClientOfRemovedExchanger(t *testing.T) {
	c := config()
	_, hash := issuer.NewClientSecret()
	c.Clients = append(c.Clients, issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}})
	f := newFixture(t, c)
	tokens, err1 := f.Issue(t.Context(), issuer.Grant{Subject: "ann", ClientID: "client_web", Resource: "petstore"})
	exchanged, err2 := f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: tokens.Access})
	f.do(errors.Join(err1, err2))
	f.config.Clients = slices.DeleteFunc(f.config.Clients, func(c issuer.Client) bool { return c.ID == "client_gateway" })
	f.restart()
	f.accept(exchanged.Access)
	f.do(f.RevokeClient(t.Context(), "client_web"))
	f.refuse(exchanged.Access, jot.ErrRevoked)
}

// TestRevokeRemovedExchanger: of a client that the configuration doesn't name any more, what it got in exchange can be
// refused, though it has nothing else.
func TestRevokeRemovedExchanger(t *testing.T) {
	c := config()
	_, hash := issuer.NewClientSecret()
	c.Clients = append(c.Clients, issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}})
	f := newFixture(t, c)
	exchanged, err := f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: f.login().Access})
	f.do(err)
	f.config.Clients = slices.DeleteFunc(f.config.Clients, func(c issuer.Client) bool { return c.ID == "client_gateway" })
	f.restart()
	f.accept(exchanged.Access)
	f.do(f.RevokeClient(t.Context(), "client_gateway"))
	f.refuse(exchanged.Access, jot.ErrRevoked)
}

// TestRevokeClientLongAfterExchanges: a client that may exchange no more, and whose last exchanged token has expired,
// keeps its own tokens when others' are revoked.
func TestRevokeClientLongAfterExchanges(t *testing.T) {
	f := newFixture(t, config())
	_, hash := issuer.NewClientSecret()
	f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}))
	_, err := f.ChangeClient(t.Context(), "client_gateway", func(c *issuer.Client) error { c.ExchangeFrom = nil; return nil })
	f.do(err)
	f.clock.Advance(2 * time.Hour)
	own := f.issueToClient("client_gateway")
	f.do(f.RevokeClient(t.Context(), "client_web"))
	f.accept(own.Access)
}

// TestRevokeClientOfOldExchanger: what a client got in exchange is refused with the client's tokens that it was
// exchanged for, however long ago it was allowed to exchange.
func TestRevokeClientOfOldExchanger(t *testing.T) {
	f := newFixture(t, config())
	_, hash := issuer.NewClientSecret()
	f.do(f.CreateClient(t.Context(), issuer.Client{ID: "client_gateway", SecretHash: hash, Scopes: []string{"pets:read"}, Resources: []string{"zoo"}, ExchangeFrom: []string{"petstore"}}))
	f.clock.Advance(24 * time.Hour)
	exchanged, err := f.ExchangeToken(t.Context(), issuer.Exchange{ClientID: "client_gateway", SubjectToken: f.login().Access})
	f.do(err)
	f.do(f.RevokeClient(t.Context(), "client_web"))
	f.refuse(exchanged.Access, jot.ErrRevoked)
}

// TestLogoutBesideServerWithoutClient: while servers over one database differ in their configurations, the client of a
// session is told of its end, whichever of them ends it, and whichever looks first for what is to be told. One that no
// server knows isn't looked for without end.
func TestLogoutBesideServerWithoutClient(t *testing.T) {
	c, request, redeem := browsing()
	c.Clients[1].BackchannelLogoutURI = "https://app.example.com/logout"
	c.Clients[0].RedirectURIs, c.Clients[0].BackchannelLogoutURI, c.Clients[0].FirstParty = []string{callback}, "https://guest.example.com/logout", true
	request.Scope = []string{"openid"}
	f := newFixture(t, c)
	logIn := func(client string) issuer.Tokens {
		request, grant := request, redeem("")
		request.ClientID, grant.Client.ID = client, client
		secret, _, err1 := f.SignIn(t.Context(), issuer.Proof{Subject: "ann", AMR: []string{"pwd"}}, "")
		d, err2 := f.Authorize(t.Context(), request, secret, issuer.Shown{})
		grant.Code = d.Code
		tokens, err3 := f.RedeemCode(t.Context(), grant)
		f.do(errors.Join(err1, err2, err3))
		return tokens
	}
	without := f.config
	without.Clients = slices.DeleteFunc(slices.Clone(f.config.Clients), func(c issuer.Client) bool { return c.ID == "client_web" })
	other, err := f.open(without)
	f.do(err)
	claim := func(i *issuer.Issuer) []issuer.Delivery {
		f.clock.Advance(3 * time.Hour) // more than any pause
		found, err := i.ClaimDeliveries(t.Context(), 1, nil)
		f.do(err)
		return found
	}
	for name, end := range map[string]*issuer.Issuer{"which knows it": f.Issuer, "which doesn't": other} {
		tokens := logIn("client_web")
		f.do(end.EndSession(t.Context(), "ann", tokens.SessionID))
		if found := claim(other); len(found) > 0 {
			t.Errorf("ended by a server %s: the one without the client tells %s of it", name, found[0].URI)
		}
		found := claim(f.Issuer)
		if len(found) != 1 || found[0].URI != "https://app.example.com/logout" || found[0].Notice.Session != tokens.SessionID {
			t.Fatalf("ended by a server %s: there is to tell %+v", name, found)
		}
		f.do(f.Delivered(t.Context(), found[0].Notice))
	}

	f.do(f.EndSession(t.Context(), "ann", logIn("client_web").SessionID))
	f.clock.Advance(time.Second)
	guest := logIn("client_guest")
	f.do(f.EndSession(t.Context(), "ann", guest.SessionID))
	if found := claim(other); len(found) != 1 || found[0].Notice.Session != guest.SessionID {
		t.Fatalf("behind what isn't for a client that the server knows, there is to tell %+v", found)
	} else {
		f.do(other.Delivered(t.Context(), found[0].Notice))
	}
	for range 18 {
		claim(other)
	}
	if found := claim(f.Issuer); len(found) > 0 {
		t.Errorf("after as many attempts as are made, there is to tell %+v", found)
	}
}

// TestLogoutOfClientThatMoved: a client that was deleted, and is in the configuration instead, is told of the logouts
// that come then, also beside a server whose configuration doesn't name it yet.
func TestLogoutOfClientThatMoved(t *testing.T) {
	c, request, redeem := browsing()
	f := newFixture(t, c)
	moved := issuer.Client{
		ID: "client_moved", Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{callback}, BackchannelLogoutURI: "https://app.example.com/logout",
	}
	f.do(f.CreateClient(t.Context(), moved))
	f.do(f.DeleteClient(t.Context(), moved.ID))
	f.clock.Advance(5 * time.Second)
	with := f.config
	with.Clients = append(slices.Clone(f.config.Clients), moved)
	knowing, err := f.open(with)
	f.do(err)
	request.ClientID, request.Scope = moved.ID, []string{"openid"}
	secret, _, err1 := knowing.SignIn(t.Context(), issuer.Proof{Subject: "ann", AMR: []string{"pwd"}}, "")
	d, err2 := knowing.Authorize(t.Context(), request, secret, issuer.Shown{})
	grant := redeem(d.Code)
	grant.Client.ID = moved.ID
	tokens, err3 := knowing.RedeemCode(t.Context(), grant)
	f.do(errors.Join(err1, err2, err3, knowing.EndSession(t.Context(), "ann", tokens.SessionID)))
	if found, err := f.ClaimDeliveries(t.Context(), 1, nil); err != nil || len(found) > 0 {
		t.Errorf("who doesn't know it is to tell %+v, %v", found, err)
	}
	f.clock.Advance(3 * time.Hour) // more than any pause
	if found, err := knowing.ClaimDeliveries(t.Context(), 1, nil); err != nil || len(found) != 1 || found[0].Notice.Session != tokens.SessionID {
		t.Errorf("there is to tell %+v, %v", found, err)
	}
}
