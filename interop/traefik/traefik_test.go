// Package traefik runs Traefik with the file of docs/recipes/traefik.md in front of an API, against a whole server.
// Debian has no package of it, so CI doesn't run this.
package traefik

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/recipe"
)

// certificate gives Traefik, beside the recipe's file, the certificate that it shows to everybody.
const certificate = `tls:
  stores:
    default:
      defaultCertificate: {certFile: FOLDER/certificate.pem, keyFile: FOLDER/key.pem}
`

// serve runs Traefik until the test ends. Clients speak HTTP/2 with it.
func serve(t *testing.T, server, api string) (string, *http.Client) {
	t.Helper()
	program, err := exec.LookPath("traefik")
	if err != nil {
		t.Skip("NOT TESTED, in CI neither: Traefik, of which Debian has no package: put a traefik on the PATH")
	}
	dir, address := t.TempDir(), machine.FreeAddress(t)
	client := certify(t, dir)
	site := strings.NewReplacer("api.example.com", "127.0.0.1", "127.0.0.1:8420", server, "127.0.0.1:9000", api).Replace(recipe.Read(t, "traefik").Block("yaml"))
	recipe.File(t, dir, "api.yml", site)
	recipe.File(t, dir, "certificate.yml", strings.ReplaceAll(certificate, "FOLDER", dir))
	machine.Serve(t, address, []string{"HOME=" + dir}, program, "--entryPoints.websecure.address="+address, "--providers.file.directory="+dir,
		"--global.checkNewVersion=false", "--global.sendAnonymousUsage=false")
	url := "https://" + address
	configured(t, client, url)
	return url, client
}

// certify writes a certificate for 127.0.0.1 and its key, and answers a client that trusts it.
func certify(t *testing.T, dir string) *http.Client {
	t.Helper()
	lender := httptest.NewTLSServer(nil)
	defer lender.Close()
	key, err := x509.MarshalPKCS8PrivateKey(lender.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	recipe.File(t, dir, "certificate.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lender.Certificate().Raw})))
	recipe.File(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	trust := lender.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	return recipe.NewClient(t, trust)
}

// configured returns when Traefik has read its files, which it does while it already listens.
func configured(t *testing.T, client *http.Client, url string) {
	t.Helper()
	machine.Await(t, "what Traefik's files say", func() error {
		response, err := client.Get(url)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusNotFound {
				err = errors.New(response.Status)
			}
		}
		return err
	})
}

func TestForwardAuthentication(t *testing.T) { recipe.StartProxied(t, serve).CheckWhole() }

func TestServerAway(t *testing.T) { recipe.CheckFailsClosed(t, serve) }
