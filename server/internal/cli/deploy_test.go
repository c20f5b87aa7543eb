package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/config"
)

const deployFolder = "../../../deploy"

func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployFolder, name))
	check(t, err)
	return string(text)
}

// checkConfiguration runs jot config check, in the place of /var/lib and with the variables.
func checkConfiguration(t *testing.T, variables map[string]string, args ...string) {
	t.Helper()
	for name, value := range variables {
		t.Setenv(name, value)
	}
	var talk bytes.Buffer
	args = append([]string{"config", "check"}, append(args, "--data", filepath.Join(t.TempDir(), "data"))...)
	if code := Run(t.Context(), args, strings.NewReader(""), &talk, &talk); code != exitOK {
		t.Errorf("jot %q:\n%s", args, talk.String())
	}
}

// checkCommand says whether the command line of a file is one that jot understands.
func checkCommand(t *testing.T, args []string) {
	t.Helper()
	command, rest, err := newRootCommand().Find(args)
	if err != nil || !command.HasParent() {
		t.Errorf("jot %q: %v", args, err)
		return
	}
	if err := command.ParseFlags(rest); err != nil {
		t.Errorf("jot %q: %v", args, err)
	}
	if extra := command.Flags().Args(); len(extra) > 0 {
		t.Errorf("jot %q: what is %q?", args, extra)
	}
}

// settingsOf are the flags of jot serve in a command line, for jot config check.
func settingsOf(args []string) []string {
	if args[0] == "config" {
		return args[2:]
	}
	return args[1:]
}

func TestDeployedConfiguration(t *testing.T) {
	checkConfiguration(t, nil, "--config", filepath.Join(deployFolder, "jot.toml"))
}

func TestDeployedUnit(t *testing.T) {
	unit := deployed(t, "jot.service")
	commands := regexp.MustCompile(`(?m)^ExecStart(?:Pre)?=/usr/local/bin/jot (.*)$`).FindAllStringSubmatch(unit, -1)
	if len(commands) != 2 {
		t.Fatalf("%d commands in the unit", len(commands))
	}
	here := strings.NewReplacer("/etc/jot", deployFolder, "%d", t.TempDir())
	for _, command := range commands {
		args := strings.Fields(here.Replace(command[1]))
		checkCommand(t, args)
		checkConfiguration(t, nil, settingsOf(args)...)
	}
	if regexp.MustCompile(`(?m)^ProcSubset=pid`).MatchString(unit) {
		t.Error("the unit hides /proc/sys, where Go reads how many connections may wait to be accepted, and /proc/stat, by which a metric says when the server was started")
	}
	if families := regexp.MustCompile(`(?m)^RestrictAddressFamilies=(.*)$`).FindStringSubmatch(unit); families == nil || !slices.Contains(strings.Fields(families[1]), "AF_UNIX") {
		t.Error("the unit keeps the server from a PostgreSQL on the same machine, by its socket")
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("NOT TESTED: the rest of the unit, since there is no systemd-analyze: install the package systemd")
	}
	check(t, err)
	self, err := os.Executable()
	check(t, err)
	copied := filepath.Join(t.TempDir(), "jot.service")
	check(t, os.WriteFile(copied, []byte(strings.ReplaceAll(unit, "/usr/local/bin/jot", self)), 0o600))
	if out, err := exec.Command(analyze, "verify", "--man=no", copied).CombinedOutput(); err != nil || strings.Contains(string(out), "jot.service") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// The scale goes from 0 to 100; 20 is 2.0, "OK". A directive that is lost or misspelt costs some.
	if out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", "--threshold=20", copied).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

func TestDeployedImage(t *testing.T) {
	text := deployed(t, "Dockerfile")
	list := func(instruction string) (words []string) {
		found := regexp.MustCompile(`(?m)^` + instruction + ` .*?(\[.*\])$`).FindStringSubmatch(text)
		if found == nil || json.Unmarshal([]byte(found[1]), &words) != nil {
			t.Fatalf("%s isn't a list", instruction)
		}
		return words
	}
	entry := list("ENTRYPOINT")
	if health := list("HEALTHCHECK"); !slices.Equal(health[:1], entry) {
		t.Errorf("the health check runs %q", health)
	} else {
		checkCommand(t, health[1:])
	}
	args := append(entry[1:], regexpList(t, text, `(?m)^CMD (\[.*\])$`)...)
	checkCommand(t, args)
	variables := map[string]string{"JOT_ISSUER": "https://auth.example.com", "JOT_RESOURCES": "petstore=pets:read"}
	for _, variable := range regexp.MustCompile(`(JOT_[A-Z_]+)=(\S+)`).FindAllStringSubmatch(text, -1) {
		variables[variable[1]] = variable[2]
	}
	checkConfiguration(t, variables, settingsOf(args)...)
}

func regexpList(t *testing.T, text, pattern string) (words []string) {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil || json.Unmarshal([]byte(found[1]), &words) != nil {
		t.Fatalf("%s isn't a list", pattern)
	}
	return words
}

func TestDeployedManifest(t *testing.T) {
	text := deployed(t, "kubernetes.yaml")
	_, rest, found := strings.Cut(text, "  jot.toml: |\n")
	block, _, ends := strings.Cut(rest, "\n---")
	if !found || !ends {
		t.Fatal("the configuration can't be found")
	}
	file := filepath.Join(t.TempDir(), "jot.toml")
	block = strings.ReplaceAll(strings.ReplaceAll(block, "\n    ", "\n"), "/run/secrets/jot", t.TempDir())
	check(t, os.WriteFile(file, []byte(strings.TrimPrefix(block, "    ")), 0o600))
	args := regexpList(t, text, `(?m)^\s*args: (\[.*\])$`)
	checkCommand(t, args)
	checkConfiguration(t, map[string]string{"JOT_DATABASE": "postgres://jot@db.example.com/jot?sslmode=verify-full"}, settingsOf(append(args, "--config", file))...)

	loaded, err := config.Load(config.Sources{File: file})
	check(t, err)
	for name, address := range map[string]string{"http": loaded.Listen, "admin": loaded.AdminListen} {
		if port := "{name: " + name + ", containerPort: " + strings.TrimPrefix(address, ":") + "}"; !strings.Contains(text, port) {
			t.Errorf("the container lacks %s", port)
		}
	}
	for _, mounted := range []string{loaded.KEKFile, loaded.FeedCredentialFile} {
		if !strings.Contains(text, "mountPath: /run/secrets/jot/"+filepath.Base(mounted)+", subPath: "+filepath.Base(mounted)) {
			t.Errorf("%s isn't mounted", mounted)
		}
	}
	checkVariables(t, text)
}

// What the README of the folder tells people to set is known, too.
func TestDeployedReadme(t *testing.T) {
	checkVariables(t, deployed(t, "README.md"))
}

// checkVariables looks for variables that mean nothing.
func checkVariables(t *testing.T, text string) {
	t.Helper()
	var known []string
	for _, s := range config.Settings() {
		known = append(known, s.Variable())
	}
	found := regexp.MustCompile(`\bJOT_[A-Z_]*[A-Z]\b`).FindAllString(text, -1)
	if len(found) == 0 {
		t.Error("no variable is set")
	}
	for _, name := range found {
		if !slices.Contains(known, name) {
			t.Errorf("%s means nothing", name)
		}
	}
}
