package jothttp_test

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

type object map[string]any

// with returns the members with others in their place; nil takes one away.
func (o object) with(members ...any) object {
	o = maps.Clone(o)
	for n := 0; n < len(members); n += 2 {
		if o[members[n].(string)] = members[n+1]; members[n+1] == nil {
			delete(o, members[n].(string))
		}
	}
	return o
}

// holder has a key, and the token that is bound to it.
type holder struct {
	t     *testing.T
	key   *jot.PrivateKey
	jwk   object
	token string
	ids   atomic.Int64
}

func newHolder(t *testing.T, alg jot.Algorithm) *holder {
	t.Helper()
	key, err := jot.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	h := &holder{t: t, key: key}
	h.jwk = h.public(key)
	return h
}

func (h *holder) public(key *jot.PrivateKey) (jwk object) {
	h.t.Helper()
	text, err := key.Public().MarshalJSON()
	if err := errors.Join(err, json.Unmarshal(text, &jwk)); err != nil {
		h.t.Fatal(err)
	}
	return jwk.with("kid", nil, "use", nil, "alg", nil)
}

func (h *holder) thumbprint() string {
	digest, err := h.key.Public().Thumbprint(crypto.SHA256)
	if err != nil {
		h.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(digest)
}

// bind gets the holder a token of the API's.
func (h *holder) bind(a *api, confirmation any) *holder {
	h.t.Helper()
	claims := object{"sub": "alice", "aud": "petstore", "scope": "pets:read", "exp": time.Now().Add(time.Hour).Unix()}
	raw, err := a.signer.Sign(h.t.Context(), claims.with("cnf", confirmation))
	if err != nil {
		h.t.Fatal(err)
	}
	h.token = raw
	return h
}

func (h *holder) header() object {
	return object{"typ": "dpop+jwt", "alg": h.key.Algorithm(), "jwk": h.jwk}
}

func (h *holder) claims() object {
	hash := sha256.Sum256([]byte(h.token))
	return object{
		"htm": "GET", "htu": "https://pets.example/pets", "iat": time.Now().Unix(), "jti": fmt.Sprint("proof ", h.ids.Add(1)),
		"ath": base64.RawURLEncoding.EncodeToString(hash[:]),
	}
}

func (h *holder) sign(header, claims object) string { return forge(h.t, h.key, header, claims) }

func (h *holder) proof() string { return h.sign(h.header(), h.claims()) }

// forge signs any header and payload.
func forge(t *testing.T, key *jot.PrivateKey, header, payload any) string {
	t.Helper()
	head, err := json.Marshal(header)
	body, err2 := json.Marshal(payload)
	input := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	signature, err3 := key.SignInput(t.Context(), []byte(input))
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func newProofs(t *testing.T, o jothttp.ProofOptions) *jothttp.ProofVerifier {
	t.Helper()
	proofs, err := jothttp.NewProofVerifier(o)
	if err != nil {
		t.Fatal(err)
	}
	return proofs
}

func newBoundAPI(t *testing.T) *api {
	a := newAPI(t)
	a.options.DPoP = &jothttp.DPoP{Proofs: newProofs(t, jothttp.ProofOptions{}), Base: "https://pets.example"}
	return a
}

func TestDPoP(t *testing.T) {
	a := newBoundAPI(t)
	for _, alg := range []jot.Algorithm{jot.ES256, jot.EdDSA, jot.PS256} {
		h := newHolder(t, alg)
		h.bind(a, object{"jkt": h.thumbprint()})
		for name, r := range map[string]*http.Request{
			"plain":           request("GET", "Authorization: DPoP "+h.token, "DPoP: "+h.proof()),
			"lower case":      request("GET", "Authorization: dpop "+h.token, "DPoP: "+h.proof()),
			"another method":  request("POST", "Authorization: DPoP "+h.token, "DPoP: "+h.sign(h.header(), h.claims().with("htm", "POST"))),
			"port, capitals":  request("GET", "Authorization: DPoP "+h.token, "DPoP: "+h.sign(h.header(), h.claims().with("htu", "HTTPS://PETS.example:443/p%65ts?a#b"))),
			"key with an alg": request("GET", "Authorization: DPoP "+h.token, "DPoP: "+h.sign(h.header().with("jwk", h.jwk.with("alg", alg, "kid", "k")), h.claims())),
		} {
			if answer := a.serve(r); answer.StatusCode != 200 {
				t.Errorf("%s, %s: %d %v %v", alg, name, answer.StatusCode, answer.Header, a.reasons)
			}
		}
	}
	if answer := a.serve(request("GET", "Authorization: Bearer "+a.token(t, time.Hour))); answer.StatusCode != 200 {
		t.Errorf("a token that isn't bound: %d", answer.StatusCode)
	}
}

// TestDPoPRefusals has, with the two tests below, a row for each thing that RFC 9449 has a server check. A refused
// proof isn't used up.
func TestDPoPRefusals(t *testing.T) {
	a := newBoundAPI(t)
	h, thief := newHolder(t, jot.ES256), newHolder(t, jot.ES256)
	h.bind(a, object{"jkt": h.thumbprint()})
	thief.token = h.token
	replayed := h.proof()
	if answer := a.serve(request("GET", "Authorization: DPoP "+h.token, "DPoP: "+replayed)); answer.StatusCode != 200 {
		t.Fatal(answer.StatusCode)
	}
	other := newHolder(t, jot.ES256).bind(a, object{"jkt": h.thumbprint()})
	for name, proofs := range map[string][]string{
		"no proof":            nil,
		"two proofs":          {h.proof(), h.proof()},
		"two in one header":   {h.proof() + ", " + h.proof()},
		"not a JWT":           {"x"},
		"replayed":            {replayed},
		"another ath":         {other.sign(h.header(), other.claims())},
		"no signature":        {h.proof()[:strings.LastIndex(h.proof(), ".")+1]},
		"another's signature": {forge(t, thief.key, h.header(), h.claims())},
	} {
		h.refused(t, a, name, invalidProof, proofs...)
	}
	h.refused(t, a, "another's proof", `error="invalid_token"`, thief.proof())
}

const invalidProof = `error="invalid_dpop_proof"`

// refused sends the holder's token with proofs, of which the answer complains.
func (h *holder) refused(t *testing.T, a *api, name, complaint string, proofs ...string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		r := request("GET", "Authorization: DPoP "+h.token)
		r.Header["Dpop"] = proofs
		answer := a.serve(r)
		challenges := strings.Join(answer.Header.Values("WWW-Authenticate"), "; ")
		if answer.StatusCode != 401 || !strings.Contains(challenges, `DPoP realm="api", algs="ES256 `) || !strings.Contains(challenges, complaint) || !strings.Contains(challenges, `Bearer realm="api"`) {
			t.Errorf("%d %s", answer.StatusCode, challenges)
		}
	})
}

func TestDPoPClaimRefusals(t *testing.T) {
	a, h := newBoundAPI(t), newHolder(t, jot.ES256)
	h.bind(a, object{"jkt": h.thumbprint()})
	now := time.Now()
	claim := func(name string, value any) string { return h.sign(h.header(), h.claims().with(name, value)) }
	used := claim("jti", "proof 1")
	if answer := a.serve(request("GET", "Authorization: DPoP "+h.token, "DPoP: "+used)); answer.StatusCode != 200 {
		t.Fatal(answer.StatusCode)
	}
	for name, proof := range map[string]string{
		"5 KiB":                  claim("more", strings.Repeat("a", 5<<10)),
		"the same jti":           claim("jti", "proof 1"),
		"no jti":                 claim("jti", nil),
		"a jti that is a number": claim("jti", 1),
		"a long jti":             claim("jti", strings.Repeat("a", 256)),
		"no htm":                 claim("htm", nil),
		"another method":         claim("htm", "POST"),
		"a method in lower case": claim("htm", "get"),
		"no htu":                 claim("htu", nil),
		"another path":           claim("htu", "https://pets.example/pets/1"),
		"a slash more":           claim("htu", "https://pets.example/pets/"),
		"another host":           claim("htu", "https://evil.example/pets"),
		"another port":           claim("htu", "https://pets.example:8443/pets"),
		"http":                   claim("htu", "http://pets.example/pets"),
		"a user":                 claim("htu", "https://a@pets.example/pets"),
		"a path alone":           claim("htu", "/pets"),
		"an escaped slash":       claim("htu", "https://pets.example%2Fpets"),
		"htu a list":             claim("htu", []string{"https://pets.example/pets"}),
		"no iat":                 claim("iat", nil),
		"old":                    claim("iat", now.Add(-2*time.Minute).Unix()),
		"from the future":        claim("iat", now.Add(time.Minute).Unix()),
		"iat a text":             claim("iat", "now"),
		"expired":                claim("exp", now.Add(-time.Minute).Unix()),
		"not yet":                claim("nbf", now.Add(time.Minute).Unix()),
		"no ath":                 claim("ath", nil),
	} {
		h.refused(t, a, name, invalidProof, proof)
	}
}

func TestDPoPHeaderRefusals(t *testing.T) {
	a, h := newBoundAPI(t), newHolder(t, jot.ES256)
	h.bind(a, object{"jkt": h.thumbprint()})
	private, err := h.key.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	var privateJWK object
	if err := json.Unmarshal(private, &privateJWK); err != nil {
		t.Fatal(err)
	}
	header := func(members ...any) string { return h.sign(h.header().with(members...), h.claims()) }
	for name, proof := range map[string]string{
		"no typ":          header("typ", nil),
		"another typ":     header("typ", "JWT"),
		"no alg":          header("alg", nil),
		"alg none":        header("alg", "none"),
		"another alg":     header("alg", "ES384"),
		"HMAC":            header("alg", "HS256", "jwk", object{"kty": "oct", "k": strings.Repeat("A", 43)}),
		"no key":          header("jwk", nil),
		"a private key":   header("jwk", privateJWK),
		"a secret key":    header("jwk", object{"kty": "oct", "k": strings.Repeat("A", 43)}),
		"a key elsewhere": header("jwk", nil, "jku", "https://evil.example/jwks.json"),
		"a key in PEM":    header("jwk", "-----BEGIN PUBLIC KEY-----"),
		"crit":            header("crit", []string{"x"}, "x", 1),
	} {
		h.refused(t, a, name, invalidProof, proof)
	}
}

// TestBinding: what a token is bound to, and how it came, belong together.
func TestBinding(t *testing.T) {
	without, with := newAPI(t), newBoundAPI(t)
	without.options.Cookie, with.options.Cookie = jothttp.CookieName, jothttp.CookieName
	required := newBoundAPI(t)
	required.options.DPoP.Required = true
	h := newHolder(t, jot.ES256)
	for name, c := range map[string]struct {
		api          *api
		confirmation any
		scheme       string
		status       int
	}{
		"bound, Bearer":                   {with, object{"jkt": h.thumbprint()}, "Authorization: Bearer ", 401},
		"bound, Bearer, no DPoP here":     {without, object{"jkt": h.thumbprint()}, "Authorization: Bearer ", 401},
		"bound, a cookie":                 {with, object{"jkt": h.thumbprint()}, "Cookie: __Host-jot=", 401},
		"bound, a cookie, no DPoP here":   {without, object{"jkt": h.thumbprint()}, "Cookie: __Host-jot=", 401},
		"bound, DPoP, but not known here": {without, object{"jkt": h.thumbprint()}, "Authorization: DPoP ", 401},
		"not bound, DPoP":                 {with, nil, "Authorization: DPoP ", 401},
		"not bound, but it must be":       {required, nil, "Authorization: Bearer ", 401},
		"bound by a certificate":          {with, object{"x5t#S256": "x"}, "Authorization: Bearer ", 401},
		"bound by one, no DPoP here":      {without, object{"x5t#S256": "x"}, "Authorization: Bearer ", 401},
		"bound, DPoP, as it must be":      {required, object{"jkt": h.thumbprint()}, "Authorization: DPoP ", 200},
	} {
		h.bind(c.api, c.confirmation)
		r := request("GET", c.scheme+h.token)
		r.Header.Set("DPoP", h.proof())
		if answer := c.api.serve(r); answer.StatusCode != c.status {
			t.Errorf("%s: %d %v", name, answer.StatusCode, answer.Header)
		}
	}
	answer := required.serve(request("GET"))
	if got := answer.Header.Values("WWW-Authenticate"); len(got) != 1 || !strings.HasPrefix(got[0], "DPoP ") {
		t.Errorf("challenges %q", got)
	}
}

// TestProofOnce: of many requests with one proof, one gets through.
func TestProofOnce(t *testing.T) {
	proofs, h := newProofs(t, jothttp.ProofOptions{}), newHolder(t, jot.ES256)
	r := jothttp.ProofRequest{Fields: []string{h.proof()}, Method: "GET", URL: "https://pets.example/pets"}
	var accepted atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := proofs.Verify(t.Context(), r); err == nil {
				accepted.Add(1)
			} else if !errors.Is(err, jothttp.ErrProof) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if accepted.Load() != 1 {
		t.Errorf("%d requests with one proof got through", accepted.Load())
	}
}

// TestProofMemory: a full memory refuses rather than forgets, one key has no more than half of it, one that has been
// given room goes on, and old proofs make room.
func TestProofMemory(t *testing.T) {
	now := time.Now()
	proofs := newProofs(t, jothttp.ProofOptions{MaxProofs: 4, Now: func() time.Time { return now }})
	h, another := newHolder(t, jot.EdDSA), newHolder(t, jot.EdDSA)
	verifyOf := func(h *holder) (*jothttp.Proof, error) {
		claims := h.claims().with("iat", now.Unix())
		return proofs.Verify(t.Context(), jothttp.ProofRequest{Fields: []string{h.sign(h.header(), claims)}, Method: "GET", URL: "https://pets.example/pets"})
	}
	verify := func() (*jothttp.Proof, error) { return verifyOf(h) }
	first, err := verify()
	_, err2 := verify()
	if err := errors.Join(err, err2); err != nil || first.Thumbprint != h.thumbprint() {
		t.Fatal(err)
	}
	if _, err := verify(); !errors.Is(err, jot.ErrUnavailable) || errors.Is(err, jothttp.ErrProof) {
		t.Errorf("no room: %v", err)
	}
	if _, err := verifyOf(another); err != nil {
		t.Errorf("another key: %v", err)
	}
	first.Forget()
	if _, err := verify(); err != nil {
		t.Errorf("room again: %v", err)
	}
	now = now.Add(71 * time.Second)
	if _, err := verify(); !errors.Is(err, jot.ErrUnavailable) {
		t.Errorf("proofs of a generation before: %v", err)
	}
	now = now.Add(71 * time.Second)
	if _, err := verify(); err != nil {
		t.Errorf("later: %v", err)
	}
}

// nonces are two: the present one, and the one before.
type nonces struct{}

func (nonces) DPoPNonce() string                { return "present" }
func (nonces) CheckDPoPNonce(nonce string) bool { return nonce == "present" || nonce == "before" }

func TestNonces(t *testing.T) {
	a := newBoundAPI(t)
	a.options.DPoP.Proofs = newProofs(t, jothttp.ProofOptions{Nonces: nonces{}})
	h := newHolder(t, jot.ES256)
	h.bind(a, object{"jkt": h.thumbprint()})
	for _, c := range []struct {
		nonce  any
		status int
		told   string
	}{{nil, 401, "present"}, {"stale", 401, "present"}, {1, 401, "present"}, {"before", 200, "present"}, {"present", 200, ""}} {
		answer := a.serve(request("GET", "Authorization: DPoP "+h.token, "DPoP: "+h.sign(h.header(), h.claims().with("nonce", c.nonce))))
		challenge := strings.Join(answer.Header.Values("WWW-Authenticate"), "; ")
		if answer.StatusCode != c.status || answer.Header.Get("DPoP-Nonce") != c.told || (c.status == 401) != strings.Contains(challenge, `error="use_dpop_nonce"`) {
			t.Errorf("nonce %v: %d %v", c.nonce, answer.StatusCode, answer.Header)
		}
	}
}
