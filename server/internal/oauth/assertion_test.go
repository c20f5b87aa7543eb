package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func newKey(t *testing.T, alg jot.Algorithm) *jot.PrivateKey {
	t.Helper()
	key, err := jot.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyed stores a client with keys.
func (f *fixture) keyed(id string, keys ...*jot.PrivateKey) {
	f.t.Helper()
	var public []*jot.PublicKey
	for _, key := range keys {
		public = append(public, key.Public())
	}
	text, err := json.Marshal(jot.NewKeySet(public...))
	if err != nil {
		f.t.Fatal(err)
	}
	set, err := issuer.ParseClientKeySet(text)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.issuer.CreateClient(f.t.Context(), issuer.Client{ID: id, Scopes: []string{"pets:read"}, KeySet: set}); err != nil {
		f.t.Fatal(err)
	}
}

type claims map[string]any

func assertionClaims(id string) claims {
	now := time.Now()
	return claims{"iss": id, "sub": id, "aud": "https://auth.example.com", "jti": newID(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
}

var lastID atomic.Int64

func newID() string {
	return time.Now().Format(time.RFC3339Nano) + "-" + string(rune('a'+lastID.Add(1)%26)) + marker
}

// with returns the claims with others in their place; nil takes one away.
func (c claims) with(name string, value any) claims {
	c = maps.Clone(c)
	if c[name] = value; value == nil {
		delete(c, name)
	}
	return c
}

func signed(t *testing.T, key jot.SigningKey, typ string, c any) string {
	t.Helper()
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: typ})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signer.Sign(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// forged signs whatever header and payload it's given, which no Signer would.
func forged(t *testing.T, key *jot.PrivateKey, header, payload any) string {
	t.Helper()
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	input := encode(header) + "." + encode(payload)
	signature, err := key.SignInput(t.Context(), []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func asserting(assertion string, more ...string) string {
	form := url.Values{"client_assertion": {assertion}, "client_assertion_type": {jwtBearer}}
	for n := 0; n < len(more); n += 2 {
		form.Set(more[n], more[n+1])
	}
	return form.Encode()
}

func TestAssertion(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	ecdsa, ed, rsa := newKey(t, jot.ES256), newKey(t, jot.EdDSA), newKey(t, jot.PS256)
	f.keyed(robot, ecdsa, ed, rsa)
	const grant = "grant_type"
	accept := func(name, body string) {
		t.Helper()
		if a := f.token(body); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		} else if token, err := f.verify(a.members(t)["access_token"].(string)); err != nil || token.ClientID() != robot {
			t.Errorf("%s: %v, %v", name, token, err)
		}
	}
	for name, body := range map[string]string{
		"ES256":      asserting(signed(t, ecdsa, "", assertionClaims(robot)), grant, "client_credentials"),
		"EdDSA":      asserting(signed(t, ed, "JWT", assertionClaims(robot)), grant, "client_credentials", "client_id", robot),
		"PS256":      asserting(signed(t, rsa, "client-authentication+jwt", assertionClaims(robot)), grant, "client_credentials"),
		"aud a list": asserting(signed(t, ecdsa, "", assertionClaims(robot).with("aud", []string{"https://auth.example.com"})), grant, "client_credentials"),
		"no iat":     asserting(signed(t, ecdsa, "", assertionClaims(robot).with("iat", nil)), grant, "client_credentials"),
		"fast clock": asserting(signed(t, ecdsa, "", assertionClaims(robot).with("iat", time.Now().Add(8*time.Second).Unix())), grant, "client_credentials"),
		"long life":  asserting(signed(t, ecdsa, "", assertionClaims(robot).with("exp", time.Now().Add(10*time.Minute).Unix())), grant, "client_credentials"),
		"long ID":    asserting(signed(t, ecdsa, "", assertionClaims(robot).with("jti", strings.Repeat("a", 255))), grant, "client_credentials"),
	} {
		accept(name, body)
	}
	accept("slow clock", asserting(signed(t, ecdsa, "", assertionClaims(robot).with("exp", time.Now().Unix()-1)), grant, "client_credentials"))
	body, _ := json.Marshal(map[string]string{"grant_type": "client_credentials", "client_assertion_type": jwtBearer, "client_assertion": signed(t, ed, "", assertionClaims(robot))})
	if a := f.call("POST", "/oauth2/token", "application/json", strings.NewReader(string(body))); a.status != 200 {
		t.Errorf("JSON: %d %s", a.status, a.body)
	}
}

// TestAssertionBadInput: whatever is wrong with an assertion, the refresh token beside it stays good, and so does the
// assertion.
func TestAssertionBadInput(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	key, stranger := newKey(t, jot.ES256), newKey(t, jot.ES256)
	f.keyed(robot, key)
	secret := f.confidential("client_secretive")
	session, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: f.tokens().Subject, ClientID: robot})
	if err != nil {
		t.Fatal(err)
	}
	public, _ := json.Marshal(key.Public())
	hmac, err := jot.NewSecretKey(jot.HS256, public, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	good, now := assertionClaims(robot), time.Now()
	sign := func(c claims) string { return forged(t, key, claims{"alg": "ES256"}, c) }
	grant := []string{"grant_type", "refresh_token", "refresh_token", session.Refresh}
	with := func(assertion string, more ...string) string { return asserting(assertion, append(more, grant...)...) }
	unsigned := "eyJhbGciOiJub25lIn0." + strings.Split(sign(good), ".")[1] + "."
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		code    string
	}{
		"no issuer":              {with(sign(good.with("iss", nil))), nil, 400, "invalid_client"},
		"no issuer, but an ID":   {with(sign(good.with("iss", nil)), "client_id", robot), nil, 400, "invalid_client"},
		"another issuer":         {with(sign(good.with("iss", app))), nil, 400, "invalid_client"},
		"another issuer, my ID":  {with(sign(good.with("iss", app)), "client_id", robot), nil, 400, "invalid_client"},
		"no subject":             {with(sign(good.with("sub", nil))), nil, 400, "invalid_client"},
		"another subject":        {with(sign(good.with("sub", app))), nil, 400, "invalid_client"},
		"no audience":            {with(sign(good.with("aud", nil))), nil, 400, "invalid_client"},
		"the token endpoint":     {with(sign(good.with("aud", "https://auth.example.com/oauth2/token"))), nil, 400, "invalid_client"},
		"another server":         {with(sign(good.with("aud", "https://evil.example"))), nil, 400, "invalid_client"},
		"two audiences":          {with(sign(good.with("aud", []string{"https://auth.example.com", "https://evil.example"}))), nil, 400, "invalid_client"},
		"a slash more":           {with(sign(good.with("aud", "https://auth.example.com/"))), nil, 400, "invalid_client"},
		"no expiry":              {with(sign(good.with("exp", nil))), nil, 400, "invalid_client"},
		"expired":                {with(sign(good.with("exp", now.Add(-time.Minute).Unix()))), nil, 400, "invalid_client"},
		"eleven minutes":         {with(sign(good.with("exp", now.Add(11*time.Minute).Unix()))), nil, 400, "invalid_client"},
		"an hour":                {with(sign(good.with("exp", now.Add(time.Hour).Unix()))), nil, 400, "invalid_client"},
		"not yet":                {with(sign(good.with("nbf", now.Add(time.Minute).Unix()))), nil, 400, "invalid_client"},
		"from the future":        {with(sign(good.with("iat", now.Add(time.Minute).Unix()))), nil, 400, "invalid_client"},
		"no ID":                  {with(sign(good.with("jti", nil))), nil, 400, "invalid_client"},
		"an ID that is a number": {with(sign(good.with("jti", 1))), nil, 400, "invalid_client"},
		"a long ID":              {with(sign(good.with("jti", strings.Repeat("a", 256)))), nil, 400, "invalid_client"},
		"9 KiB":                  {with(sign(good.with("more", strings.Repeat("a", 9<<10)))), nil, 400, "invalid_client"},
		"9 KiB and its ID":       {with(sign(good.with("more", strings.Repeat("a", 9<<10))), "client_id", robot), nil, 400, "invalid_client"},
		"another key":            {with(signed(t, stranger, "", good)), nil, 400, "invalid_client"},
		"HMAC of the public key": {with(signed(t, hmac, "", good)), nil, 400, "invalid_client"},
		"no signature":           {with(unsigned), nil, 400, "invalid_client"},
		"an access token's type": {with(signed(t, key, "at+jwt", good)), nil, 400, "invalid_client"},
		"a proof's type":         {with(signed(t, key, "dpop+jwt", good)), nil, 400, "invalid_client"},
		"not a JWT":              {with(marker), nil, 400, "invalid_client"},
		"another client's":       {with(sign(good), "client_id", app), nil, 400, "invalid_client"},
		"a client with a secret": {with(sign(good), "client_id", "client_secretive"), nil, 400, "invalid_client"},
		"no type":                {with(sign(good), "client_assertion_type", ""), nil, 400, "invalid_request"},
		"another type":           {with(sign(good), "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"), nil, 400, "invalid_client"},
		"no assertion":           {with("", "client_id", robot), nil, 400, "invalid_request"},
		"two assertions":         {with(sign(good)) + "&client_assertion=x", nil, 400, "invalid_request"},
		"a secret beside":        {with(sign(good), "client_id", robot, "client_secret", secret), nil, 400, "invalid_request"},
		"Basic beside":           {with(sign(good)), basic(robot, secret), 400, "invalid_request"},
		"a secret instead":       {url.Values{"client_id": {robot}, "client_secret": {secret}, "grant_type": {"refresh_token"}, "refresh_token": {session.Refresh}}.Encode(), nil, 400, "invalid_client"},
		"nothing":                {url.Values{"client_id": {robot}, "grant_type": {"refresh_token"}, "refresh_token": {session.Refresh}}.Encode(), nil, 400, "invalid_client"},
		"an empty secret, Basic": {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {session.Refresh}}.Encode(), rawBasic(robot + ":"), 401, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.token(c.body, c.headers...)
			a.wantError(t, c.status, c.code)
			if strings.Contains(a.body, marker) {
				t.Errorf("answered %s", a.body)
			}
		})
	}
	if a := f.token(with(sign(good))); a.status != 200 {
		t.Fatalf("bad input used something up: %d %s", a.status, a.body)
	}
	f.token(with(sign(good))).wantError(t, 400, "invalid_client")
	f.token(asserting(sign(good.with("exp", now.Add(2*time.Minute).Unix())), "grant_type", "client_credentials")).wantError(t, 400, "invalid_client")
	if log := f.log.Take(); log != "" {
		t.Errorf("bad input reached the log: %s", log)
	}
}

// TestAssertionOnce: of many requests with one assertion, one goes on.
func TestAssertionOnce(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	key := newKey(t, jot.EdDSA)
	f.keyed(robot, key)
	body := asserting(signed(t, key, "", assertionClaims(robot)), "grant_type", "client_credentials")
	var accepted atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if f.token(body).status == 200 {
				accepted.Add(1)
			}
		})
	}
	all.Wait()
	if accepted.Load() != 1 {
		t.Errorf("%d requests with one assertion were accepted", accepted.Load())
	}
}

func TestClientKeySets(t *testing.T) {
	key := newKey(t, jot.ES256)
	private, err := key.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := json.Marshal(key.Public())
	set := func(size int) string {
		keys := []string{string(public)}
		for range size - 1 {
			text, _ := json.Marshal(newKey(t, jot.ES256).Public())
			keys = append(keys, string(text))
		}
		return `{"keys":[` + strings.Join(keys, ",") + `]}`
	}
	for name, text := range map[string]string{
		"not JSON":     marker,
		"no keys":      `{"keys":[]}`,
		"a key alone":  string(public),
		"private":      `{"keys":[` + string(private) + `]}`,
		"secret":       `{"keys":[{"kty":"oct","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`,
		"no algorithm": `{"keys":[` + strings.Replace(string(public), `"alg":"ES256",`, "", 1) + `]}`,
		"nine":         set(9),
		"one is bad":   `{"keys":[` + string(public) + `,{"kty":"EC"}]}`,
	} {
		if _, err := issuer.ParseClientKeySet([]byte(text)); err == nil || strings.Contains(err.Error(), marker) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := issuer.ParseClientKeySet([]byte(set(8))); err != nil {
		t.Errorf("eight: %v", err)
	}
}
