package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// confidential stores a client that has a secret.
func (f *fixture) confidential(id string) (secret string) {
	f.Helper()
	secret, hash := issuer.NewClientSecret()
	f.createClient(id, func(c *issuer.Client) { c.SecretHash = hash })
	return secret
}

func (f *fixture) issueToClient(id string) issuer.Tokens {
	f.Helper()
	tokens, err := f.IssueToClient(f.Context(), issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: id})})
	f.do(err)
	return tokens
}

func TestAuthenticateClient(t *testing.T) {
	f := newFixture(t, config())
	secret := f.confidential("client_robot")
	if !strings.HasPrefix(secret, "jcs_") || len(secret) != len("jcs_")+43 {
		t.Errorf("secret of %d bytes", len(secret))
	}
	check := func(id, secret string, want error) {
		t.Helper()
		c, err := f.AuthenticateClient(t.Context(), issuer.ClientProof{ID: id, Secret: secret})
		if !errors.Is(err, want) || (err == nil) != (c.ID != "") {
			t.Errorf("%s: client %+v, %v, want %v", id, c, err, want)
		}
	}
	check("client_robot", secret, nil)
	check("client_robot", "", issuer.ErrInvalidClient)
	check("client_robot", secret+"A", issuer.ErrInvalidClient)
	check("client_web", "", nil)
	check("client_web", secret, issuer.ErrInvalidClient)
	check("client_unknown", secret, issuer.ErrInvalidClient)
	check("", "", issuer.ErrInvalidClient)

	replaced, err := f.ReplaceClientSecret(t.Context(), "client_robot")
	f.do(err)
	check("client_robot", secret, issuer.ErrInvalidClient)
	check("client_robot", replaced, nil)
	if _, err := f.ReplaceClientSecret(t.Context(), "client_web"); !errors.Is(err, issuer.ErrDeclared) {
		t.Errorf("error %v, want ErrDeclared", err)
	}
}

func TestIssueToClient(t *testing.T) {
	f := newFixture(t, config())
	secret := f.confidential("client_robot")
	tokens := f.issueToClient("client_robot")
	token := f.accept(tokens.Access)
	if token.Subject() != "client_robot" || token.ClientID() != "client_robot" || token.SessionID() != "" || tokens.Refresh != "" ||
		tokens.SessionID != "" || token.Scope() != "pets:read pets:write" {
		t.Errorf("%v of %+v", token, tokens)
	}
	f.do(f.ChangeSubject(t.Context(), "client_robot", issuer.Change{Claims: json.RawMessage(`{"team":"a"}`)}))
	f.refuse(tokens.Access, jot.ErrStaleClaims)
	tokens = f.issueToClient("client_robot")
	f.accept(tokens.Access)
	f.do(f.RevokeToken(t.Context(), tokens.Access, "client_robot"))
	f.refuse(tokens.Access, jot.ErrRevoked)
	tokens = f.issueToClient("client_robot")
	f.do(f.DisableSubject(t.Context(), "client_robot"))
	f.refuse(tokens.Access, jot.ErrStaleClaims)

	for _, c := range []struct {
		grant issuer.ClientGrant
		want  error
	}{
		{issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: "client_robot"})}, issuer.ErrInvalidGrant},
		{issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: "client_web"})}, issuer.ErrUnauthorizedClient},
		{issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: "client_unknown"})}, issuer.ErrInvalidClient},
		{issuer.ClientGrant{}, issuer.ErrInvalidClient},
		{issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: "client_robot"}), Resource: "moon"}, issuer.ErrInvalidTarget},
	} {
		if _, err := f.IssueToClient(t.Context(), c.grant); !errors.Is(err, c.want) {
			t.Errorf("%+v: error %v, want %v", c.grant, err, c.want)
		}
	}
	f.do(f.EnableSubject(t.Context(), "client_robot"))
	for _, c := range []struct {
		proof issuer.ClientProof
		want  error
	}{
		{issuer.ClientProof{ID: "client_robot", Secret: secret}, nil},
		{issuer.ClientProof{ID: "client_robot", Secret: secret + "A"}, issuer.ErrInvalidClient},
		{issuer.ClientProof{ID: "client_robot"}, issuer.ErrInvalidClient},
		{issuer.ClientProof{ID: "client_unknown", Secret: secret}, issuer.ErrInvalidClient},
		{issuer.ClientProof{ID: "client_web", Secret: secret}, issuer.ErrInvalidClient},
		{issuer.ClientProof{ID: "client_web"}, issuer.ErrUnauthorizedClient},
		{issuer.ClientProof{}, issuer.ErrInvalidClient}, // and not the default one
	} {
		if _, err := f.IssueToClient(t.Context(), issuer.ClientGrant{Client: c.proof}); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.proof.ID, err, c.want)
		}
	}
	if _, err := f.IssueToClient(t.Context(), issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: "client_robot"}), Scope: []string{"pets:admin"}}); !errors.Is(err, issuer.ErrInvalidScope) {
		t.Errorf("error %v, want ErrInvalidScope", err)
	}
	tokens = f.issueToClient("client_robot")
	f.do(f.DeleteClient(t.Context(), "client_robot"))
	f.refuse(tokens.Access, jot.ErrRevoked)
}

// TestFirstClientGrantRace: of many first requests of a client one makes its subject.
func TestFirstClientGrantRace(t *testing.T) {
	f := newFixture(t, config())
	f.confidential("client_robot")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			tokens, err := f.IssueToClient(t.Context(), issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: "client_robot"})})
			if err == nil {
				err = f.Verifier().Check(t.Context(), tokens.Access)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

// interrupted is a store in which something happens between a View and what its caller does next.
type interrupted struct {
	issuer.Store
	meanwhile func()
}

func (s *interrupted) View(ctx context.Context, f func(issuer.Reader) error) error {
	err := s.Store.View(ctx, f)
	if s.meanwhile != nil {
		s.meanwhile()
	}
	return err
}

// TestClientGrantBeside: a token that was drafted before a change, and is given out after it, is refused.
func TestClientGrantBeside(t *testing.T) {
	for name, change := range map[string]func(*fixture) error{
		"changed": func(f *fixture) error {
			return f.ChangeSubject(t.Context(), "client_robot", issuer.Change{Claims: json.RawMessage(`{"team":"a"}`)})
		},
		"disabled": func(f *fixture) error { return f.DisableSubject(t.Context(), "client_robot") },
		"deleted":  func(f *fixture) error { return f.DeleteClient(t.Context(), "client_robot") },
		"revoked":  func(f *fixture) error { return f.RevokeClient(t.Context(), "client_robot") },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, config())
			f.confidential("client_robot")
			f.issueToClient("client_robot")
			store := &interrupted{Store: f.openStore()}
			other, err := issuer.New(t.Context(), store, f.config)
			f.do(err)
			f.do(other.Close()) // its upkeep isn't what is interrupted
			store.meanwhile = func() { f.do(change(f)) }
			tokens, err := other.IssueToClient(t.Context(), issuer.ClientGrant{Client: issuer.KnownClient(issuer.Client{ID: "client_robot"})})
			f.do(err)
			if err := f.Verifier().Check(t.Context(), tokens.Access); err == nil {
				t.Error("the token is good")
			}
		})
	}
}
