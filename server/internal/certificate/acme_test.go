package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// authority is a small ACME server (RFC 8555). It checks TLS-ALPN-01 challenges (RFC 8737) where they're to be
// answered, at the listener that a test names; it doesn't check signatures, which is for its clients' own tests.
type authority struct {
	*httptest.Server
	t       *testing.T
	key     *ecdsa.PrivateKey
	root    *x509.Certificate
	address string // where the domains are served

	mu     sync.Mutex
	domain string // of the one order at a time
	valid  bool
	issued []byte // PEM
	orders []string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test root"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(a.answer))
	t.Cleanup(a.Close)
	return a
}

// payload is that of a JWS, unchecked.
func payload(t *testing.T, r *http.Request, v any) {
	var envelope struct{ Payload string }
	if err := json.NewDecoder(r.Body).Decode(&envelope); err != nil {
		t.Error(err)
	}
	text, err := base64.RawURLEncoding.DecodeString(envelope.Payload)
	if err != nil {
		t.Error(err)
	}
	if len(text) > 0 && v != nil {
		if err := json.Unmarshal(text, v); err != nil {
			t.Error(err)
		}
	}
}

func (a *authority) answer(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Replay-Nonce", rand.Text())
	w.Header().Set("Content-Type", "application/json")
	reply := func(status int, v any) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	switch r.URL.Path {
	case "/directory":
		reply(200, map[string]any{
			"newNonce": a.URL + "/nonce", "newAccount": a.URL + "/account", "newOrder": a.URL + "/order", "revokeCert": a.URL + "/revoke",
			"keyChange": a.URL + "/change", "meta": map[string]any{"termsOfService": a.URL + "/terms"},
		})
	case "/nonce":
	case "/account":
		w.Header().Set("Location", a.URL+"/account/1")
		reply(201, map[string]any{"status": "valid"})
	case "/order":
		var order struct{ Identifiers []struct{ Value string } }
		payload(a.t, r, &order)
		a.domain, a.valid, a.issued = order.Identifiers[0].Value, false, nil
		a.orders = append(a.orders, a.domain)
		w.Header().Set("Location", a.URL+"/order/1")
		reply(201, a.order())
	case "/order/1":
		reply(200, a.order())
	case "/authorization":
		reply(200, map[string]any{
			"status": map[bool]string{true: "valid", false: "pending"}[a.valid], "identifier": map[string]any{"type": "dns", "value": a.domain},
			"challenges": []any{a.challenge()},
		})
	case "/challenge":
		a.valid = a.validate()
		reply(200, a.challenge())
	case "/finalize":
		var request struct{ CSR string }
		payload(a.t, r, &request)
		a.sign(request.CSR)
		w.Header().Set("Location", a.URL+"/order/1")
		reply(200, a.order())
	case "/certificate":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		w.Write(a.issued)
	default:
		reply(404, map[string]any{"type": "urn:ietf:params:acme:error:malformed"})
	}
}

func (a *authority) challenge() map[string]any {
	return map[string]any{
		"type": "tls-alpn-01", "url": a.URL + "/challenge", "token": "a-token-of-the-authority",
		"status": map[bool]string{true: "valid", false: "pending"}[a.valid],
	}
}

func (a *authority) order() map[string]any {
	order := map[string]any{
		"status": "pending", "identifiers": []any{map[string]any{"type": "dns", "value": a.domain}},
		"authorizations": []string{a.URL + "/authorization"}, "finalize": a.URL + "/finalize",
	}
	switch {
	case a.issued != nil:
		order["status"], order["certificate"] = "valid", a.URL+"/certificate"
	case a.valid:
		order["status"] = "ready"
	}
	return order
}

// validate connects as an authority does, and looks for the extension that answers the challenge.
func (a *authority) validate() bool {
	connection, err := tls.Dial("tcp", a.address, &tls.Config{ServerName: a.domain, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true})
	if err != nil {
		a.t.Error(err)
		return false
	}
	defer connection.Close()
	for _, extension := range connection.ConnectionState().PeerCertificates[0].Extensions {
		if extension.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && extension.Critical {
			return true
		}
	}
	a.t.Error("the challenge isn't answered")
	return false
}

func (a *authority) sign(csr string) {
	der, err := base64.RawURLEncoding.DecodeString(csr)
	if err != nil {
		a.t.Error(err)
		return
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil || !a.valid {
		a.t.Error("a certificate without a challenge", err)
		return
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(a.orders)) + 1), DNSNames: request.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, a.root, request.PublicKey.(crypto.PublicKey), a.key)
	if err != nil {
		a.t.Error(err)
		return
	}
	for _, block := range [][]byte{signed, a.root.Raw} {
		a.issued = append(a.issued, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block})...)
	}
}

// A server gets its certificate when the first client comes, keeps it over a restart, and gets none for a name that
// isn't listed.
func TestACME(t *testing.T) {
	a := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	settings := ACME{
		Domains: []string{"auth.example.com"}, Email: "ops@example.com", Directory: a.URL + "/directory",
		CacheDir: filepath.Join(t.TempDir(), "acme"), Roots: roots,
	}
	listen := func() (address string) {
		config, challenges, err := settings.Open()
		if err != nil || challenges == nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		site := &http.Server{TLSConfig: config, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })}
		go site.ServeTLS(listener, "", "") // ends with Close
		t.Cleanup(func() { site.Close() })
		return listener.Addr().String()
	}
	for range 2 {
		a.address = listen()
		if got := a.visit(t, "auth.example.com"); got != "HTTP/2.0" {
			t.Errorf("answered in %s", got)
		}
	}
	if len(a.orders) != 1 {
		t.Errorf("ordered %q, want one certificate that outlives a restart", a.orders)
	}
	for _, name := range []string{"www.example.com", "example.com", "evil.auth.example.com"} {
		if connection, err := tls.Dial("tcp", a.address, &tls.Config{ServerName: name, InsecureSkipVerify: true}); err == nil {
			connection.Close()
			t.Errorf("%s gets a certificate", name)
		}
	}
	if len(a.orders) != 1 {
		t.Errorf("ordered %q for strangers", a.orders)
	}
	err := filepath.WalkDir(settings.CacheDir, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o", name, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// visit asks as a browser does that trusts the authority.
func (a *authority) visit(t *testing.T, name string) string {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.root)
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Get("https://" + a.address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

func TestACMERefusals(t *testing.T) {
	good := ACME{Domains: []string{"auth.example.com"}, CacheDir: filepath.Join(t.TempDir(), "acme")}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, test := range map[string]struct {
		change func(*ACME)
		want   string
	}{
		"an address":      {func(a *ACME) { a.Domains = []string{"192.0.2.1"} }, "no address"},
		"a pattern":       {func(a *ACME) { a.Domains = []string{"*.example.com"} }, "no pattern"},
		"a bare name":     {func(a *ACME) { a.Domains = []string{"localhost"} }, "whole name"},
		"a URL":           {func(a *ACME) { a.Domains = []string{"https://auth.example.com"} }, "whole name"},
		"capitals":        {func(a *ACME) { a.Domains = []string{"Auth.example.com"} }, "lower case"},
		"no cache":        {func(a *ACME) { a.CacheDir = "" }, "needs a directory"},
		"plain directory": {func(a *ACME) { a.Directory = "http://acme.example.com" }, "https URL"},
	} {
		changed := good
		test.change(&changed)
		if _, _, err := changed.Open(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	if err := os.Mkdir(good.CacheDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := good.Open(); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("a cache that all can read: %v", err)
	}
}
