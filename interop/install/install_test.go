// Package install installs the command as a user does, with `go install …@version`, from the module zips that a proxy
// would serve.
package install

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const version = "v0.0.0"

func TestGoInstall(t *testing.T) {
	proxy := t.TempDir()
	publish(t, proxy, "github.com/jot-auth/jot", "../..")
	publish(t, proxy, "github.com/jot-auth/jot/server", "../../server")

	bin := t.TempDir()
	downloaded := filepath.Join(strings.TrimSpace(run(t, nil, "go", "env", "GOMODCACHE")), "cache", "download")
	upstream := fileURL(downloaded) + "," + strings.TrimSpace(run(t, nil, "go", "env", "GOPROXY"))
	run(t, []string{
		"GOWORK=off", "GOFLAGS=-mod=mod -trimpath", "GOBIN=" + bin, "GONOSUMDB=github.com/jot-auth/*",
		"GOMODCACHE=" + moduleCache(t), "GOPROXY=" + fileURL(proxy) + "," + upstream,
	}, "go", "install", "github.com/jot-auth/jot/server/cmd/jot@"+version)

	printed := run(t, nil, filepath.Join(bin, "jot"), "version")
	if !strings.Contains(printed, version) {
		t.Errorf("jot version prints %q, not %s", printed, version)
	}
}

func fileURL(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// moduleCache returns a cache of the test's own, so that the unpublished version stays in no other.
func moduleCache(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() { // the cache is read-only, which RemoveAll can't undo
		filepath.WalkDir(dir, func(name string, _ os.DirEntry, _ error) error { return os.Chmod(name, 0o700) })
	})
	return dir
}

// publish lays a module out as a file proxy serves it.
func publish(t *testing.T, proxy, path, folder string) {
	t.Helper()
	dir := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	archive, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	if err := zip.CreateFromDir(archive, module.Version{Path: path, Version: version}, folder); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	goMod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		version + ".mod": string(goMod), version + ".info": `{"Version":"` + version + `"}`, "list": version + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func run(t *testing.T, environment []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
