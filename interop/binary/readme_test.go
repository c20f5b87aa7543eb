package binary

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every shell line of the README that isn't a server runs as it's written, in order, in an empty folder.
func TestReadmeLines(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script := "set -e\n"
	var servers []string
	for _, block := range strings.Split(string(text), "```sh\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for line := range strings.Lines(block) {
			if strings.HasPrefix(line, "jot serve ") {
				servers = append(servers, strings.TrimSpace(line))
				continue
			}
			script += line
		}
	}
	dir := t.TempDir()
	shell := exec.CommandContext(t.Context(), "sh", "-c", script)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "PATH="+filepath.Dir(command)+":"+os.Getenv("PATH"))
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, shown := range []string{`"sub": "ada"`, "signature NOT checked"} {
		if !strings.Contains(string(out), shown) {
			t.Errorf("%q is missing in:\n%s", shown, out)
		}
	}
	if len(servers) != 1 {
		t.Fatalf("the README starts servers: %q", servers)
	}
	args := strings.Fields(strings.Replace(servers[0], "./jot-data", filepath.Join(dir, "jot-data"), 1))[1:]
	start(t, "jot serves https://auth.example.com", append(args, "--listen", "127.0.0.1:0", "--admin-listen", "")...).stop(t)
}
