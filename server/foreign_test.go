package server_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// idp is an issuer of somebody else's: it has metadata and keys, and tells of logouts.
type idp struct {
	*testing.T
	url string
	key *jot.PrivateKey
}

func newIDP(t *testing.T) *idp {
	key, err := jot.GenerateKey(jot.RS256)
	if err != nil {
		t.Fatal(err)
	}
	i := &idp{T: t, key: key}
	mux := http.NewServeMux()
	answer := func(path string, content func() any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(content())
		})
	}
	answer("/.well-known/openid-configuration", func() any { return map[string]string{"issuer": i.url, "jwks_uri": i.url + "/keys"} })
	answer("/keys", func() any { return jot.NewKeySet(key.Public()) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	i.url = s.URL
	return i
}

func (i *idp) sign(typ string, claims map[string]any) string {
	i.Helper()
	signer, err := jot.NewSigner(i.key, jot.SignerOptions{Type: typ})
	if err != nil {
		i.Fatal(err)
	}
	now := time.Now()
	claims["iss"], claims["iat"], claims["exp"] = i.url, now.Unix(), now.Add(2*time.Minute).Unix()
	raw, err := signer.Sign(i.Context(), claims)
	if err != nil {
		i.Fatal(err)
	}
	return raw
}

func (i *idp) access(subject, session string) string {
	return i.sign("at+jwt", map[string]any{"aud": "petstore", "sub": subject, "sid": session})
}

func (i *idp) logout(id, subject, session string) string {
	claims := map[string]any{"aud": "our-client", "jti": id, "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}}}
	if subject != "" {
		claims["sub"] = subject
	}
	if session != "" {
		claims["sid"] = session
	}
	return i.sign("logout+jwt", claims)
}

func (s *site) logOutForeign(t *testing.T, token string) (int, http.Header, string) {
	t.Helper()
	response, err := http.PostForm(s.url+"/feed/backchannel-logout", url.Values{"logout_token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// An API takes the tokens of an issuer that has no feed. It follows ours, to which that issuer tells who logged out;
// and asks neither.
func TestLogoutAtAnotherIssuer(t *testing.T) {
	t.Run("keys discovered", func(t *testing.T) { checkForeignLogout(t, "") })
	t.Run("keys configured", func(t *testing.T) { checkForeignLogout(t, "/keys") })
}

func checkForeignLogout(t *testing.T, keySet string) {
	i := newIDP(t)
	if keySet != "" {
		keySet = i.url + keySet
	}
	s := newSiteOver(t, "", func(c *server.Config) {
		c.Issuer.ForeignIssuers = []issuer.ForeignIssuer{{URL: i.url, Audience: "our-client", MaxTTL: time.Hour, KeySetURL: keySet}}
	})
	keys, err1 := jwks.NewSource(i.url+"/keys", jwks.Options{})
	feedKeys, err2 := jwks.NewSource(s.url+"/feed/jwks.json", jwks.Options{})
	reader, err3 := revocation.NewReader(revocation.ReaderOptions{
		URL: s.url + "/feed", Issuer: s.url, Keys: feedKeys, Credential: s.credential,
		ForeignIssuers: map[string]time.Duration{i.url: time.Hour},
	})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { errors.Join(reader.Close(), feedKeys.Close(), keys.Close()) })
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{
		Issuer: i.url, Audience: "petstore", Type: "at+jwt", MaxTTL: time.Hour, Revocation: reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.WaitFresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	accepted := func(token string) int {
		switch err := verifier.Check(t.Context(), token); {
		case err == nil:
			return http.StatusOK
		case errors.Is(err, jot.ErrRevoked):
			return http.StatusUnauthorized
		default:
			t.Error(err)
			return 0
		}
	}
	phone, laptop, bob := i.access("zoe", "phone"), i.access("zoe", "laptop"), i.access("bob", "tablet")
	for _, step := range []struct {
		logout                  string
		phoneWant, laptop, bobs int
	}{
		{i.logout("1", "zoe", "phone"), 401, 200, 200},
		{i.logout("2", "", "tablet"), 401, 200, 401},
		{i.logout("3", "zoe", ""), 401, 401, 401},
	} {
		status, header, body := s.logOutForeign(t, step.logout)
		if status != http.StatusOK || body != "" || header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v %s", status, header, body)
		}
		waitFor(t, func() int { return accepted(phone) }, step.phoneWant)
		waitFor(t, func() int { return accepted(bob) }, step.bobs)
		waitFor(t, func() int { return accepted(laptop) }, step.laptop)
	}
	for name, token := range map[string]string{"again": i.logout("1", "zoe", "phone"), "an access token": phone, "none": ""} {
		status, header, body := s.logOutForeign(t, token)
		if status != http.StatusBadRequest || !strings.Contains(body, `"error":"invalid_request"`) || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v %s", name, status, header, body)
		}
	}
}

// A server starts whether or not the other issuer is there, and says so to whoever comes with a token of it.
func TestForeignIssuerThatIsDown(t *testing.T) {
	down := httptest.NewServer(http.NotFoundHandler())
	i := &idp{T: t, url: down.URL, key: newIDP(t).key}
	s := newSiteOver(t, "", func(c *server.Config) {
		c.Issuer.ForeignIssuers = []issuer.ForeignIssuer{{URL: i.url, Audience: "our-client", MaxTTL: time.Hour}}
	})
	down.Close()
	for range 2 { // the second isn't asked for the address
		status, header, body := s.logOutForeign(t, i.logout("1", "zoe", ""))
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(body, "temporarily_unavailable") {
			t.Errorf("%d %v %s", status, header, body)
		}
	}
}
