//go:build linux

package nginx

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/recipe"
)

// command is the path of the jot command that TestMain builds.
var command string

func TestMain(m *testing.M) { os.Exit(machine.RunWithJot(m, &command)) }

const (
	host     = "auth.example.com"
	issuer   = "https://" + host
	audience = "petstore"
	app      = "client_app"
)

// Addresses of this machine from which clients call.
const (
	operator = "127.0.0.2" // whom the page's allow means
	person   = "127.0.0.3"
	stranger = "127.0.0.4"
)

// added is what the servers have beside the page's configuration.
const added = `
[sign_up]
open = true
scope = ["pets:read"]

[[clients]]
id = "client_app"
first_party = true
device_grant = true
scopes = ["pets:read"]
redirect_uris = ["https://app.example.com/callback"]
`

// front is nginx as docs/recipes/behind-nginx.md has it, in front of two servers over one PostgreSQL.
type front struct {
	*testing.T
	nginx         machine.Program
	dir           string
	secure, plain string // addresses
	authority     authority
	credential    string // of the feed
	servers       [2]machine.Program
	environment   []string
	configuration string // of a server
}

// newFront starts nginx in front of two upstreams, the addresses of servers.
func newFront(t *testing.T, upstreams [2]string) *front {
	t.Helper()
	f := &front{T: t, dir: t.TempDir(), secure: machine.FreeAddress(t), plain: machine.FreeAddress(t), authority: newAuthority(t)}
	program := machine.Need(t, "install the package nginx", "nginx", "/usr/sbin/nginx")
	f.certify(2)
	site := strings.NewReplacer(
		"10.0.0.11:8420", upstreams[0], "10.0.0.12:8420", upstreams[1], "listen 443", "listen "+f.secure, "listen 80", "listen "+f.plain,
		"/etc/nginx", f.dir, "/var/cache", f.dir, "/var/log/nginx", f.dir, "10.0.0.0/8", operator,
	).Replace(recipe.Read(t, "behind-nginx").Block("nginx"))
	f.nginx = machine.Serve(t, f.secure, nil, program, "-c", recipe.File(t, f.dir, "nginx.conf", f.whole(site)), "-p", f.dir)
	t.Cleanup(func() { f.nginx.Stop(t) }) // and the workers with it
	return f
}

// whole is a configuration that needs nothing of the machine's, and compresses as Debian's does. The workers are
// whoever runs the test, since they write to its folder.
func (f *front) whole(site string) string {
	f.Helper()
	me, err := user.Current()
	if err != nil {
		f.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		f.Fatal(err)
	}
	temporary := ""
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("%s_temp_path %s;\n", name, filepath.Join(f.dir, name))
	}
	return fmt.Sprintf("daemon off; user %s %s; worker_processes 1; pid %s/pid; error_log stderr;\nevents {}\nhttp {\ngzip on;\n%s%s}\n", me.Username, group.Name, f.dir, temporary, site)
}

// authority signs certificates of nginx's.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	var a authority
	a.certificate = &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour)}
	a.certificate, a.key = a.sign(t, *a.certificate)
	return a
}

// sign makes a certificate of a template, with a key of its own: by the authority, or by that key where there is none
// yet.
func (a authority) sign(t *testing.T, template x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	by := a.key
	if by == nil {
		by = key
	}
	encoded, err := x509.CreateCertificate(rand.Reader, &template, a.certificate, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// certify gives nginx a certificate of a number, for when it reads its files.
func (f *front) certify(serial int64) {
	f.Helper()
	certificate, key := f.authority.sign(f.T, x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour)})
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		f.Fatal(err)
	}
	recipe.File(f.T, f.dir, host+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})))
	recipe.File(f.T, f.dir, host+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// trust is the authority's certificate alone.
func (f *front) trust() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(f.authority.certificate)
	return &tls.Config{RootCAs: roots, ServerName: host}
}

// startServers runs two servers, nginx before them.
func startServers(t *testing.T) *front {
	t.Helper()
	upstreams := [2]string{machine.FreeAddress(t), machine.FreeAddress(t)}
	f := newFront(t, upstreams)
	f.credential = secret()
	kek, credential := recipe.File(t, f.dir, "kek", secret()), recipe.File(t, f.dir, "feed.credential", f.credential)
	f.environment = []string{"JOT_DATABASE=" + machine.Database(t)}
	for n, address := range upstreams {
		text := strings.NewReplacer(
			"10.0.0.11:8420", address, "10.0.0.1", "127.0.0.1", "/var/lib/jot/data", filepath.Join(f.dir, fmt.Sprint("data", n)),
			"/etc/jot/kek", kek, "/etc/jot/feed.credential", credential,
		).Replace(recipe.Read(t, "behind-nginx").Block("toml"))
		f.configuration = recipe.File(t, f.dir, fmt.Sprint("jot", n, ".toml"), text+added)
		environment := append(f.environment, "JOT_ADMIN_LISTEN="+machine.FreeAddress(t))
		f.servers[n] = machine.Serve(t, address, environment, command, "serve", "--config", f.configuration)
		machine.Await(t, "a server", func() error { return ready(address) })
	}
	return f
}

// ready asks a server itself: nginx asks none.
func ready(address string) error {
	response, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

func secret() string {
	random := make([]byte, 32)
	rand.Read(random)
	return base64.RawURLEncoding.EncodeToString(random)
}

// client calls from an address of this machine, and takes nginx for whatever host it's told.
func (f *front) client(from string) *http.Client {
	f.Helper()
	transport := &http.Transport{
		TLSClientConfig: f.trust(), ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			to := f.secure
			if strings.HasSuffix(address, ":80") {
				to = f.plain
			}
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
			return dialer.DialContext(ctx, network, to)
		},
	}
	f.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       2 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
