// Package nginx runs Debian's nginx with the configuration of docs/recipes/nginx.md in front of an API, against a whole
// server, and with that of behind-nginx.md in front of two servers.
package nginx

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/recipe"
)

// serve runs nginx, in one process, until the test ends.
func serve(t *testing.T, server, api string) (string, *http.Client) {
	t.Helper()
	program, dir := machine.Need(t, "install the package nginx", "nginx", "/usr/sbin/nginx"), t.TempDir()
	temporary := ""
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("%s_temp_path %s;\n", name, filepath.Join(dir, name))
	}
	address := machine.FreeAddress(t)
	site := strings.NewReplacer("127.0.0.1:8420", server, "127.0.0.1:9000", api, "127.0.0.1:8080", address).Replace(recipe.Read(t, "nginx").Block("nginx"))
	whole := fmt.Sprintf("daemon off; master_process off; pid %s/pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n%s%s}\n", dir, temporary, site)
	machine.Serve(t, address, nil, program, "-c", recipe.File(t, dir, "nginx.conf", whole), "-p", dir)
	return "http://" + address, recipe.NewClient(t, nil)
}

func TestForwardAuthentication(t *testing.T) { recipe.StartProxied(t, serve).Check() }

func TestServerAway(t *testing.T) { recipe.CheckFailsClosed(t, serve) }
