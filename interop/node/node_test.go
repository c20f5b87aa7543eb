// Package node runs what docs/recipes shows for JavaScript, with openid-client, oauth4webapi and jose, against a whole
// server.
package node

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/recipe"
	"github.com/jot-auth/jot/interop/running"
)

// installed is the folder of the packages, for all tests.
var installed string

// install puts the packages of package-lock.json there, once.
var install = sync.OnceValue(func() (err error) {
	if installed, err = os.MkdirTemp("", "jot-node-"); err != nil {
		return err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(installed, name), text, 0o600); err != nil {
			return err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = installed
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, out)
	}
	return nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	os.RemoveAll(installed)
	os.Exit(status)
}

// folder makes one for a test's own files, in which the packages are found.
func folder(t *testing.T) string {
	t.Helper()
	version, err := exec.Command(machine.Need(t, "install the package nodejs", "node"), "--version").Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
	if number, _ := strconv.Atoi(major); err != nil || number < 20 {
		machine.Missing(t, fmt.Sprintf("Node.js is older than 20: %s, %v", version, err))
	}
	machine.Need(t, "install the package npm", "npm")
	if err := install(); err != nil {
		machine.Missing(t, err.Error())
	}
	dir, err := os.MkdirTemp(installed, "test-")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func environment(s running.Server, secret string) []string {
	return []string{"NODE_EXTRA_CA_CERTS=" + s.Roots, "CLIENT_SECRET=" + secret}
}

func TestWebApp(t *testing.T) {
	t.Parallel()
	dir, s, address := folder(t), running.StartTLS(t), machine.FreeAddress(t)
	page := recipe.Read(t, "node-web")
	secret := page.Client(s, nil, "127.0.0.1:3000", address)
	code := strings.NewReplacer("https://auth.example.com", s.URL, "127.0.0.1:3000", address).Replace(page.Block("js"))
	machine.Serve(t, address, environment(s, secret), "node", recipe.File(t, dir, "app.mjs", code))
	recipe.CheckWebApp(t, s, "http://"+address)
}

func TestAPI(t *testing.T) {
	t.Parallel()
	s := running.StartTLS(t)
	recipe.CheckAPI(t, s, serveAPI(t, s, s.URL))
	recipe.CheckAPIAlone(t, s, serveAPI(t, s, "https://"+machine.FreeAddress(t)))
}

// serveAPI runs the page's API, for tokens of this issuer.
func serveAPI(t *testing.T, s running.Server, issuer string) (address string) {
	t.Helper()
	dir, address := folder(t), machine.FreeAddress(t)
	code := strings.NewReplacer("https://auth.example.com", issuer, "127.0.0.1:3001", address).Replace(recipe.Read(t, "node-api").Block("js"))
	machine.Serve(t, address, environment(s, ""), "node", recipe.File(t, dir, "api.mjs", code))
	return address
}

// module is one of the recipes, driven from outside.
type module struct {
	t    *testing.T
	to   io.Writer
	from *bufio.Scanner
}

// load runs a page's module, with its texts replaced (old, new, …).
func load(t *testing.T, s running.Server, page recipe.Page, secret string, replace ...string) module {
	t.Helper()
	dir := folder(t)
	driver, err := os.ReadFile("driver.mjs")
	if err != nil {
		t.Fatal(err)
	}
	recipe.File(t, dir, "module.mjs", strings.NewReplacer(append(replace, "https://auth.example.com", s.URL)...).Replace(page.Block("js")))
	program := exec.CommandContext(t.Context(), "node", recipe.File(t, dir, "driver.mjs", string(driver)))
	program.Env = append(os.Environ(), environment(s, secret)...)
	program.Stderr = t.Output()
	to, err1 := program.StdinPipe()
	from, err2 := program.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		to.Close() // the driver ends with its input
		program.Wait()
	})
	return module{t, to, bufio.NewScanner(from)}
}

// result is what came of a function of the module.
type result struct {
	Value    json.RawMessage
	Status   int
	Location string
	Error    string
}

// run calls a function of the module.
func (m module) run(name string, parameters ...any) result {
	m.t.Helper()
	line, err := json.Marshal(append([]any{name}, parameters...))
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(m.to, "%s\n", line); err != nil {
		m.t.Fatal(err)
	}
	var r result
	if !m.from.Scan() {
		m.t.Fatalf("%s: the module ended", name)
	}
	if err := json.Unmarshal(m.from.Bytes(), &r); err != nil {
		m.t.Fatal(err)
	}
	return r
}

// must calls a function that succeeds.
func (m module) must(name string, parameters ...any) result {
	m.t.Helper()
	r := m.run(name, parameters...)
	if r.Error != "" {
		m.t.Fatalf("%s: %s", name, r.Error)
	}
	return r
}
