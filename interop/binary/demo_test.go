package binary

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/interop/machine"
)

// pause lets another process go on.
func pause() { time.Sleep(50 * time.Millisecond) }

func TestDemo(t *testing.T) {
	out, talk, code := jot(t, "demo", "--json")
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, talk)
	}
	var steps int
	for line := range strings.Lines(out) {
		var step struct {
			Step int   `json:"step"`
			OK   *bool `json:"ok"`
		}
		if err := json.Unmarshal([]byte(line), &step); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if step.OK != nil && !*step.OK {
			t.Errorf("failed: %s", line)
		}
		if step.Step > 0 {
			steps++
		}
	}
	if steps != 14 {
		t.Errorf("%d steps:\n%s", steps, out)
	}
}

func TestDemoCleansUp(t *testing.T) {
	dir := t.TempDir()
	process := exec.CommandContext(t.Context(), command, "demo")
	process.Env = append(os.Environ(), "TMPDIR="+dir)
	if out, err := process.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the demo left %v, %v", left, err)
	}
}

// The lines that `jot serve --dev` prints work when they are pasted into a shell.
func TestPastedLines(t *testing.T) {
	machine.Need(t, "run .ci/prepare", "curl")
	server := start(t, "/v1/logout", "serve", "--dev", "--listen", "127.0.0.1:0")
	_, pasted, found := strings.Cut(server.stdout, "Paste this")
	if !found {
		t.Fatalf("nothing to paste in:\n%s", server.stdout)
	}
	_, pasted, _ = strings.Cut(pasted, "\n\n")
	base := strings.Fields(server.stdout)[2]
	pasted += `  curl -s ` + base + `/v1/me -H "Authorization: Bearer $ACCESS" -o /dev/null -w '%{http_code}\n'` + "\n"
	out, err := exec.CommandContext(t.Context(), "sh", "-c", pasted).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], `"sub"`) || !strings.Contains(lines[1], `"refresh_token"`) || lines[2] != "204" || lines[3] != "401" {
		t.Errorf("the pasted lines print:\n%s", out)
	}
	server.stop(t)
}

// The lines for an administrator work too.
func TestPastedAdminLines(t *testing.T) {
	server := start(t, "/v1/logout", "serve", "--dev", "--listen", "127.0.0.1:0")
	_, pasted, found := strings.Cut(server.stdout, "To administer it")
	if !found {
		t.Fatalf("nothing for an administrator in:\n%s", server.stdout)
	}
	_, pasted, _ = strings.Cut(pasted, "\n\n")
	pasted, _, _ = strings.Cut(pasted, "\n\n")
	shell := exec.CommandContext(t.Context(), "sh", "-euc", `jot() { "$COMMAND" "$@"; }`+"\n"+pasted)
	shell.Env = append(os.Environ(), "COMMAND="+command, "XDG_CONFIG_HOME="+t.TempDir(), "JOT_ADMIN_TOKEN=")
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if list := string(out); !strings.Contains(list, "root\t") || !strings.Contains(list, "ada\t") {
		t.Errorf("the pasted lines print:\n%s", list)
	}
	server.stop(t)
}

func TestServeRefuses(t *testing.T) {
	data := t.TempDir() + "/data"
	for name, args := range map[string][]string{
		"nothing to go by":      {"serve"},
		"another machine":       {"serve", "--dev", "--listen", "0.0.0.0:0"},
		"no host":               {"serve", "--dev", "--listen", ":0"},
		"a name":                {"serve", "--dev", "--listen", "example.com:80"},
		"no port":               {"serve", "--dev", "--listen", "127.0.0.1"},
		"dev with a data dir":   {"serve", "--dev", "--data", data},
		"a resource unnamed":    {"serve", "--issuer", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--data", data, "--resource", "=pets:read"},
		"the key inside":        {"serve", "--issuer", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--data", data, "--resource", "petstore=pets:read", "--kek", data + "/kek"},
		"an argument too many":  {"serve", "--dev", "now"},
		"an unknown flag":       {"serve", "--production"},
		"a listen that is text": {"serve", "--dev", "--listen", "here"},
	} {
		if out, talk, code := jot(t, args...); code != 2 || talk == "" {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, talk)
		}
	}
}

// A database whose key-encryption key is gone must not get a new one: the operator has to find the old one.
func TestLostKeyEncryptionKey(t *testing.T) {
	site := newInstallation(t)
	site.start(t).stop(t)
	kek := site.data + ".kek"
	if err := os.Rename(kek, kek+".aside"); err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--issuer", site.url, "--listen", site.address, "--data", site.data, "--resource", "petstore=pets:read", "--admin-listen", ""}
	_, talk, code := jot(t, args...)
	if code != 1 || !strings.Contains(talk, kek) {
		t.Errorf("without its key: exit code %d, %s", code, talk)
	}
	if _, err := os.Stat(kek); err == nil {
		t.Error("a new key was made for an old database")
	}
	if err := os.Rename(kek+".aside", kek); err != nil {
		t.Fatal(err)
	}
	site.start(t).stop(t)
}
