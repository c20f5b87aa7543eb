// Package python runs what docs/recipes shows for Python, with Debian's PyJWT and Authlib, against a whole server.
package python

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/recipe"
	"github.com/jot-auth/jot/interop/running"
)

// interpreter is the system's own, which has the packages of the system.
const interpreter = "/usr/bin/python3"

// need says which of the modules is missing.
func need(t *testing.T, modules, packages string) {
	t.Helper()
	machine.Need(t, "install the package python3", interpreter)
	if out, err := exec.Command(interpreter, "-c", "import "+modules).CombinedOutput(); err != nil {
		machine.Missing(t, "install "+packages+": "+string(out))
	}
}

// serve runs a page's program until the test ends.
func serve(t *testing.T, s running.Server, dir, address, code string) {
	t.Helper()
	roots := []string{"SSL_CERT_FILE=" + s.Roots, "REQUESTS_CA_BUNDLE=" + s.Roots}
	machine.Serve(t, address, append(roots, "PWD="+dir), "env", "--chdir="+dir, interpreter, recipe.File(t, dir, "program.py", code))
}

func TestAPI(t *testing.T) {
	t.Parallel()
	need(t, "jwt, cryptography", "python3-jwt and python3-cryptography")
	s := running.StartTLS(t)
	recipe.CheckAPI(t, s, serveAPI(t, s, s.URL))
	recipe.CheckAPIAlone(t, s, serveAPI(t, s, "https://"+machine.FreeAddress(t)))
}

// serveAPI runs the page's API, for tokens of this issuer.
func serveAPI(t *testing.T, s running.Server, issuer string) (address string) {
	t.Helper()
	address = machine.FreeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	code := strings.NewReplacer("https://auth.example.com", issuer, "3001", port).Replace(recipe.Read(t, "python-api").Block("python"))
	serve(t, s, t.TempDir(), address, code)
	return address
}

func TestWebApp(t *testing.T) {
	t.Parallel()
	need(t, "authlib, requests", "python3-authlib and python3-requests")
	s, address, dir, page := running.StartTLS(t), machine.FreeAddress(t), t.TempDir(), recipe.Read(t, "authlib")
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	recipe.File(t, dir, "app.json", string(private))
	page.Client(s, jot.NewKeySet(key.Public()), "127.0.0.1:3000", address)
	_, port, _ := strings.Cut(address, ":")
	serve(t, s, dir, address, strings.NewReplacer("https://auth.example.com", s.URL, "3000", port).Replace(page.Block("python")))
	recipe.CheckWebApp(t, s, "http://"+address)
}
