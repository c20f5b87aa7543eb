package jothttp_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

// turning are nonces that the test changes.
type turning struct{ number atomic.Int64 }

func (n *turning) DPoPNonce() string                { return fmt.Sprint("nonce", n.number.Load()) }
func (n *turning) CheckDPoPNonce(nonce string) bool { return nonce == n.DPoPNonce() }

// TestTransportProves: a Transport with a key gets and uses tokens that are bound to it, whatever nonces the servers
// want.
func TestTransportProves(t *testing.T) {
	a, h, nonces := newAPI(t), newHolder(t, jot.ES256), new(turning)
	proofs := newProofs(t, jothttp.ProofOptions{Nonces: nonces})
	var calls, refreshes, bodies atomic.Int64
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	a.options.DPoP = &jothttp.DPoP{Proofs: proofs, Base: base, Required: true}
	mux := http.NewServeMux()
	mux.Handle("/pets", a.options.Protect()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) == "a body" {
			bodies.Add(1)
		}
		calls.Add(1)
	})))
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		proof, err := proofs.Verify(r.Context(), jothttp.ProofRequest{Fields: r.Header.Values("DPoP"), Method: r.Method, URL: base + "/token"})
		if err != nil {
			w.Header().Set("DPoP-Nonce", nonces.DPoPNonce())
			http.Error(w, `{"error":"use_dpop_nonce"}`, http.StatusBadRequest)
			return
		}
		refreshes.Add(1)
		h.bind(a, object{"jkt": proof.Thumbprint})
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"DPoP","expires_in":300,"refresh_token":"next"}`, h.token)
	})
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)

	transport, err := jothttp.NewTransport(jothttp.TransportOptions{TokenURL: base + "/token", ClientID: "client_app", Origins: []string{base}, Key: h.key})
	if err != nil {
		t.Fatal(err)
	}
	if err := transport.LogIn(t.Context(), jothttp.TokenPair{Refresh: "first"}); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	for range 3 {
		response, err := client.Post(base+"/pets?name=rex#x", "text/plain", strings.NewReader("a body"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 {
			t.Errorf("status %d, %v", response.StatusCode, a.reasons)
		}
		nonces.number.Add(1) // the one that the client has is stale
	}
	if calls.Load() != 3 || bodies.Load() != 3 || refreshes.Load() != 1 {
		t.Errorf("%d calls, %d bodies, %d refreshes", calls.Load(), bodies.Load(), refreshes.Load())
	}

	// Its token is worth nothing to whoever stole it.
	thief, err := jothttp.NewTransport(jothttp.TransportOptions{TokenURL: base + "/token", ClientID: "client_app", Origins: []string{base}, Key: newHolder(t, jot.ES256).key})
	if err != nil {
		t.Fatal(err)
	}
	if err := thief.LogIn(t.Context(), jothttp.TokenPair{Access: h.token, Bound: true, Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*http.Client{"with another key": {Transport: thief}, "without one": {Transport: bearing(h.token)}} {
		response, err := c.Get(base + "/pets")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 401 {
			t.Errorf("%s: %d", name, response.StatusCode)
		}
	}
}

// bearing sends a token as a bearer token.
type bearing string

func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// TestTransportRefusesTheOtherKind: who asked for bound tokens takes no others, and the other way round.
func TestTransportRefusesTheOtherKind(t *testing.T) {
	for _, c := range []struct {
		kind string
		key  *jot.PrivateKey
	}{{"Bearer", newHolder(t, jot.ES256).key}, {"DPoP", nil}} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"access_token":"a","token_type":%q,"expires_in":300}`, c.kind)
		}))
		defer server.Close()
		transport, err := jothttp.NewTransport(jothttp.TransportOptions{TokenURL: server.URL, ClientID: "client_app", Origins: []string{server.URL}, Key: c.key})
		if err != nil {
			t.Fatal(err)
		}
		if err := transport.LogIn(t.Context(), jothttp.TokenPair{Refresh: "first"}); err != nil {
			t.Fatal(err)
		}
		if pair, err := transport.Tokens(t.Context()); err == nil {
			t.Errorf("%s: %v", c.kind, pair)
		}
	}
}

// A nonce of what no nonce is made of (RFC 9449 §8.1) isn't kept: no proof can bear it, and no request would be sent
// any more.
func TestTransportKeepsNoBadNonce(t *testing.T) {
	given := []string{"caf\xe9", "two words", `quo"ted`, strings.Repeat("x", 513), "good"}
	var proofs []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("DPoP-Nonce", given[len(proofs)])
		proofs = append(proofs, r.Header.Get("DPoP"))
	}))
	t.Cleanup(server.Close)
	transport, err := jothttp.NewTransport(jothttp.TransportOptions{
		TokenURL: server.URL + "/token", ClientID: "client_app", Origins: []string{server.URL}, Key: newHolder(t, jot.ES256).key,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := transport.LogIn(t.Context(), jothttp.TokenPair{Access: "access", Bound: true}); err != nil {
		t.Fatal(err)
	}
	for n := range given {
		response, err := (&http.Client{Transport: transport}).Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if claims := string(jot.Inspect(proofs[n]).Payload.Decoded); strings.Contains(claims, `"nonce"`) {
			t.Errorf("after %.20q a proof says %s", given[n-1], claims)
		}
	}
}
