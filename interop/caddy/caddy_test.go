// Package caddy runs Debian's Caddy with the site of docs/recipes/caddy.md in front of an API, against a whole server.
package caddy

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/recipe"
)

// options keep a Caddy to itself: nothing but the site listens, and the certificate is made by an authority in its
// storage, which nobody else is told to trust.
const options = `{
	admin off
	default_bind 127.0.0.1
	auto_https disable_redirects
	local_certs
	skip_install_trust
	storage file_system %s
	servers {
		protocols h1 h2
	}
}

`

// serve runs Caddy until the test ends. Clients speak HTTP/2 with it.
func serve(t *testing.T, server, api string) (string, *http.Client) {
	t.Helper()
	program, dir := machine.Need(t, "install the package caddy", "caddy"), t.TempDir()
	_, port, err := net.SplitHostPort(machine.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	storage, name := filepath.Join(dir, "storage"), "localhost:"+port
	site := strings.NewReplacer("api.example.com", name, "127.0.0.1:8420", server, "127.0.0.1:9000", api).Replace(recipe.Read(t, "caddy").Block("caddyfile"))
	configuration := recipe.File(t, dir, "Caddyfile", fmt.Sprintf(options, storage)+site)
	home := []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_DATA_HOME=" + dir}
	machine.Serve(t, "127.0.0.1:"+port, home, program, "run", "--adapter", "caddyfile", "--config", configuration)
	trust := &tls.Config{RootCAs: authority(t, storage)}
	certified(t, "127.0.0.1:"+port, trust)
	return "https://" + name, recipe.NewClient(t, trust)
}

// authority reads the certificate of Caddy's own authority, which is there before it listens.
func authority(t *testing.T, storage string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(storage, "pki/authorities/local/root.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("Caddy's authority has no certificate")
	}
	return pool
}

// certified returns when the site has its certificate, which Caddy makes while it already listens.
func certified(t *testing.T, address string, trust *tls.Config) {
	t.Helper()
	named := trust.Clone()
	named.ServerName = "localhost"
	machine.Await(t, "Caddy's certificate", func() error {
		connection, err := tls.Dial("tcp", address, named)
		if err == nil {
			connection.Close()
		}
		return err
	})
}

func TestForwardAuthentication(t *testing.T) { recipe.StartProxied(t, serve).CheckWhole() }

func TestServerAway(t *testing.T) { recipe.CheckFailsClosed(t, serve) }
