package issuer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

func TestAccessToken(t *testing.T) {
	f := newFixture(t, config())
	tokens := f.login()
	token := f.accept(tokens.Access)
	now := f.clock.Now()
	var claims map[string]any
	f.do(token.Decode(&claims))
	id, sid := claims["jti"].(string), claims["sid"].(string)
	want := map[string]any{
		"iss": "https://auth.example.com", "sub": "ann", "aud": "petstore", "client_id": "client_web",
		"exp": float64(now.Unix() + 900), "iat": float64(now.Unix()), "auth_time": float64(now.Unix()), "jti": id, "sid": tokens.SessionID,
		"gen": float64(1), "scope": "pets:read pets:write", "acr": issuer.ACROneFactor, "amr": []any{"pwd"}, "roles": []any{"keeper"}, "licensedFeatures": []any{},
	}
	if got, want := fmt.Sprint(claims), fmt.Sprint(want); got != want || id == "" || sid == "" {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if token.Type() != "at+jwt" || token.Algorithm() != jot.ES256 || tokens.ExpiresIn != 15*time.Minute {
		t.Errorf("typ %s, alg %s, lives %v", token.Type(), token.Algorithm(), tokens.ExpiresIn)
	}
	if tokens.SessionExpiresIn != 90*24*time.Hour {
		t.Errorf("the session expires in %v", tokens.SessionExpiresIn)
	}
}

func TestAlgorithms(t *testing.T) {
	for _, algorithm := range []jot.Algorithm{jot.ES256, jot.RS256, jot.EdDSA} {
		t.Run(string(algorithm), func(t *testing.T) {
			c := config()
			c.Algorithm = algorithm
			f := newFixture(t, c)
			if token := f.accept(f.login().Access); token.Algorithm() != algorithm {
				t.Errorf("alg %s", token.Algorithm())
			}
		})
	}
}

func TestIssueScope(t *testing.T) {
	f := newFixture(t, config())
	for _, test := range []struct {
		name  string
		grant issuer.Grant
		want  []string
		err   error
	}{
		{"everything", issuer.Grant{}, []string{"pets:read", "pets:write"}, nil},
		{"nothing", issuer.Grant{Scope: []string{}}, []string{}, nil},
		{"one", issuer.Grant{Scope: []string{"pets:write"}}, []string{"pets:write"}, nil},
		{"client that may do less", issuer.Grant{ClientID: "client_guest"}, []string{"pets:read"}, nil},
		{"another resource", issuer.Grant{Resource: "zoo"}, []string{"pets:read"}, nil},
		{"what the subject lacks", issuer.Grant{Resource: "zoo", Scope: []string{"zoo:visit"}}, []string{}, nil},
		{"what the client may not", issuer.Grant{Scope: []string{"pets:admin"}}, nil, issuer.ErrInvalidScope},
		{"what the resource doesn't know", issuer.Grant{Scope: []string{"zoo:visit"}}, nil, issuer.ErrInvalidScope},
		{"twice the same", issuer.Grant{Scope: []string{"pets:read", "pets:read"}}, nil, issuer.ErrInvalidScope},
		{"malformed", issuer.Grant{Scope: []string{"pets:read pets:write"}}, nil, issuer.ErrInvalidScope},
		{"unknown client", issuer.Grant{ClientID: "client_unknown"}, nil, issuer.ErrInvalidClient},
		{"unknown resource", issuer.Grant{Resource: "moon"}, nil, issuer.ErrInvalidTarget},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.grant.Subject = "ann"
			tokens, err := f.Issue(t.Context(), test.grant)
			if !errors.Is(err, test.err) || !slices.Equal(tokens.Scope, test.want) {
				t.Fatalf("got %q, %v, want %q, %v", tokens.Scope, err, test.want, test.err)
			}
			if test.err == nil && f.accept(tokens.Access).Scope() != strings.Join(test.want, " ") {
				t.Errorf("the token has scope %q", f.accept(tokens.Access).Scope())
			}
		})
	}
}

func TestIssueRefused(t *testing.T) {
	f := newFixture(t, config())
	if _, err := f.Issue(t.Context(), issuer.Grant{Subject: "nobody"}); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("unknown subject: %v", err)
	}
	f.do(f.DisableSubject(t.Context(), "ann"))
	for _, g := range []issuer.Grant{{}, {ClientID: "client_unknown"}, {Resource: "moon"}, {Scope: []string{"pets:fly"}}} {
		g.Subject = "ann"
		if _, err := f.Issue(t.Context(), g); !errors.Is(err, issuer.ErrInvalidGrant) || errors.Is(err, issuer.ErrInvalidTarget) {
			t.Errorf("disabled subject, %+v: %v", g, err)
		}
	}
	var input *issuer.InputError
	if _, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann", AMR: []string{"a b"}}); !errors.As(err, &input) || input.Field != "amr" {
		t.Errorf("malformed amr: %v", err)
	}
}

// TestClientText: whatever a client says about itself, it can log in, and what is stored is clean and bounded.
func TestClientText(t *testing.T) {
	f := newFixture(t, config())
	agent := "a\x00b\r\n\xff" + strings.Repeat("é", 500)
	address := strings.Repeat("1", 1000)
	check := func() {
		t.Helper()
		sessions, _, err := f.SessionsOf(t.Context(), "ann", "", 10)
		f.do(err)
		if session := sessions[0]; !strings.HasPrefix(session.UserAgent, "abé") || len(session.UserAgent) > 256 || len(session.Address) != 64 {
			t.Errorf("user agent %q, address %q", session.UserAgent, session.Address)
		}
	}
	tokens := f.issue(issuer.Grant{Subject: "ann", UserAgent: agent, Address: address})
	check()
	_, err := f.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh, UserAgent: agent, Address: address})
	f.do(err)
	check()
}

// wordy is a configuration, and a scope within it, that fill most of a token by themselves.
func wordy() (issuer.Config, []string) {
	c := config()
	scope := make([]string, 16)
	for n := range scope {
		scope[n] = strings.Repeat("s", 60) + fmt.Sprint(n)
	}
	c.Resources[0].Scopes, c.Clients[1].Scopes = scope, scope
	return c, scope
}

// TestTokenSize: a token that no cookie holds is refused when it is made, with what takes the room; nothing is stored.
func TestTokenSize(t *testing.T) {
	c, scope := wordy()
	f := newFixture(t, c)
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: scope}))
	tokens := f.login()
	claims, _ := json.Marshal(map[string]string{"permissions": strings.Repeat("p", 2000), "short": "s"})
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Claims: claims}))
	_, issueErr := f.Issue(t.Context(), issuer.Grant{Subject: "ann"})
	_, refreshErr := f.tryRefresh(tokens.Refresh)
	for _, err := range []error{issueErr, refreshErr} {
		var size *issuer.TokenSizeError
		if !errors.As(err, &size) {
			t.Fatalf("error %v, want a *TokenSizeError", err)
		}
		sum := 0
		for _, part := range size.Parts {
			sum += part.Bytes
		}
		if size.Parts[0].Name != "permissions" || size.Size <= size.Limit || sum < size.Size-20 || sum > size.Size+20 {
			t.Errorf("parts %+v add up to %d of %d", size.Parts, sum, size.Size)
		}
		if !strings.Contains(err.Error(), "permissions takes 2") {
			t.Errorf("error %q doesn't say what takes the room", err)
		}
	}
	claims, _ = json.Marshal(map[string]string{"permissions": strings.Repeat("p", 100)})
	f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Claims: claims}))
	f.accept(f.refresh(tokens.Refresh).Access)
}

// TestTokenSizeExact: the largest token that is made fills its cookie.
func TestTokenSizeExact(t *testing.T) {
	for _, algorithm := range []jot.Algorithm{jot.ES256, jot.RS256, jot.EdDSA} {
		c, scope := wordy()
		c.Algorithm = algorithm
		f := newFixture(t, c)
		f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: scope}))
		largest := 0
		sort.Search(2030, func(padding int) bool {
			claims, _ := json.Marshal(map[string]string{"padding": strings.Repeat("p", padding)})
			f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Claims: claims}))
			tokens, err := f.Issue(t.Context(), issuer.Grant{Subject: "ann"})
			largest = max(largest, len(tokens.Access))
			return err != nil
		})
		if largest += len("__Host-jot="); largest > 4096 || largest < 4095 {
			t.Errorf("%s: the largest cookie has %d bytes, want 4096 or, as base64url goes, one less", algorithm, largest)
		}
	}
}
