package recipe

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/server/issuer"
)

// API is a program that verifies tokens for running.Audience by the keys that a server publishes, and wants the scope
// pets:read. It answers the token's subject.
type API struct {
	t       *testing.T
	server  running.Server
	address string
}

// CheckAPI sends an API good and bad tokens, and takes it through two rotations of the server's keys.
func CheckAPI(t *testing.T, s running.Server, address string) {
	t.Helper()
	a := API{t, s, address}
	first := a.token("ada", issuer.Grant{})
	a.accepts("a good token", first, "ada")
	a.refusals(first)

	// The next key was published before it signs.
	a.rotate()
	a.accepts("signed by the next key", a.token("grace", issuer.Grant{}), "grace")

	// The one after that is new to the API: it looks again as soon as it may. What it finds no longer has the key that
	// was revoked at first.
	a.rotate()
	second := a.token("hedy", issuer.Grant{})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if status, _, _ := a.call("Bearer " + second); status == http.StatusOK {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("a token of a new key: %d", status)
		}
	}
	if status, _, _ := a.call("Bearer " + first); status != http.StatusUnauthorized {
		t.Errorf("a token of a revoked key: %d", status)
	}
}

// CheckAPIAlone sends a token to an API whose server can't be reached, which says nothing of the token: whoever is told
// that it's invalid logs in again, as soon as that works.
func CheckAPIAlone(t *testing.T, s running.Server, address string) {
	t.Helper()
	a := API{t, s, address}
	if status, challenge, _ := a.call("Bearer " + a.forged("at+jwt", jot.ES256)); status != http.StatusServiceUnavailable || challenge != "" {
		t.Errorf("without its server the API answers %d %s", status, challenge)
	}
}

// refusals sends what an API must refuse, beside a good token.
func (a API) refusals(good string) {
	a.t.Helper()
	parts := strings.Split(good, ".")
	other := a.token("mary", issuer.Grant{})
	for name, c := range map[string]struct {
		authorization string
		status        int
		challenge     string
	}{
		"no token":                   {"", 401, `Bearer realm="petstore"`},
		"another scheme":             {"Basic YWRhOmFkYQ==", 401, `Bearer realm="petstore"`},
		"no JWT":                     {"Bearer a.b.c", 401, `error="invalid_token"`},
		"another token's claims":     {"Bearer " + parts[0] + "." + strings.Split(other, ".")[1] + "." + parts[2], 401, `error="invalid_token"`},
		"somebody else's key":        {"Bearer " + a.forged("at+jwt", jot.ES256), 401, `error="invalid_token"`},
		"an ID token's type":         {"Bearer " + a.forged("JWT", jot.ES256), 401, `error="invalid_token"`},
		"another algorithm":          {"Bearer " + a.forged("at+jwt", jot.RS256), 401, `error="invalid_token"`},
		"bound to a key, no proof":   {"Bearer " + a.token("lise", issuer.Grant{KeyThumbprint: strings.Repeat("A", 43)}), 401, `error="invalid_token"`},
		"a scope that doesn't reach": {"Bearer " + a.token("emmy", issuer.Grant{Scope: []string{}}), 403, `error="insufficient_scope"`},
	} {
		if status, challenge, _ := a.call(c.authorization); status != c.status || !strings.Contains(challenge, c.challenge) {
			a.t.Errorf("%s: %d %s", name, status, challenge)
		}
	}
}

// token makes a token of a new subject.
func (a API) token(subject string, g issuer.Grant) string {
	a.t.Helper()
	if err := a.server.Issuer().CreateSubject(a.t.Context(), issuer.Subject{ID: subject, Scope: []string{"pets:read"}}); err != nil {
		a.t.Fatal(err)
	}
	g.Subject, g.ClientID = subject, running.App
	tokens, err := a.server.Issuer().Issue(a.t.Context(), g)
	if err != nil {
		a.t.Fatal(err)
	}
	return tokens.Access
}

// forged is a token that says all the right things under a key that isn't the server's.
func (a API) forged(typ string, algorithm jot.Algorithm) string {
	a.t.Helper()
	key, err := jot.GenerateKey(algorithm)
	if err != nil {
		a.t.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: typ})
	if err != nil {
		a.t.Fatal(err)
	}
	token, err := signer.Sign(a.t.Context(), map[string]any{
		"iss": a.server.URL, "aud": running.Audience, "sub": "root", "scope": "pets:read", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return token
}

func (a API) rotate() {
	a.t.Helper()
	if _, err := a.server.Issuer().RotateKey(a.t.Context(), issuer.RotateOptions{Emergency: true}); err != nil {
		a.t.Fatal(err)
	}
}

func (a API) accepts(name, token, subject string) {
	a.t.Helper()
	if status, _, body := a.call("Bearer " + token); status != http.StatusOK || !strings.Contains(body, `"`+subject+`"`) {
		a.t.Errorf("%s: %d %s", name, status, body)
	}
}

// call asks the API with an Authorization header.
func (a API) call(authorization string) (status int, challenge, body string) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, "http://"+a.address+"/pets", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("WWW-Authenticate"), string(text)
}
