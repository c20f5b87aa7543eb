package issuer_test

import (
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestSilentAnswers: where a program of the same machine could get the answer of a public client, nobody is sent there
// without having done something for that request (RFC 8252 §8.6), not even by the operator's own client.
func TestSilentAnswers(t *testing.T) {
	const loopback, scheme = "http://127.0.0.1/callback", "com.example.app:/callback"
	_, hash := issuer.NewClientSecret()
	for name, c := range map[string]struct {
		uri    string
		secret []byte
		silent bool
		want   issuer.Step
	}{
		"loopback":                   {loopback, nil, true, issuer.StepConsent},
		"a scheme of its own":        {scheme, nil, true, issuer.StepConsent},
		"https":                      {callback, nil, true, issuer.StepAnswer},
		"loopback, with a secret":    {loopback, hash, true, issuer.StepAnswer},
		"loopback, just after login": {loopback, nil, false, issuer.StepAnswer},
	} {
		config, request, _ := browsing()
		config.Clients = append(config.Clients, issuer.Client{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true, RedirectURIs: []string{c.uri}, SecretHash: c.secret})
		f := newFixture(t, config)
		secret := f.signIn()
		request.ClientID, request.RedirectURI, request.Asked = "client_app", c.uri, f.clock.Now()
		if c.silent {
			request.Asked = f.clock.Now().Add(time.Second)
		}
		if d, err := f.Authorize(t.Context(), request, secret, issuer.Shown{}); err != nil || d.Step != c.want {
			t.Errorf("%s: step %d, %v, want %d", name, d.Step, err, c.want)
		}
	}
}
