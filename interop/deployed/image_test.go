package deployed

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// stage is one of a Dockerfile: its instructions in order, each a word and the rest of the line.
type stage struct {
	from         string
	instructions [][2]string
}

// stages reads deploy/Dockerfile.
func stages(t *testing.T) (all []stage) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "deploy", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case word == "" || strings.HasPrefix(word, "#"):
		case word == "FROM":
			all = append(all, stage{from: rest})
		default:
			last := &all[len(all)-1]
			last.instructions = append(last.instructions, [2]string{word, rest})
		}
	}
	return all
}

// each calls f for each instruction of a kind.
func (s stage) each(word string, f func(rest string)) {
	for _, i := range s.instructions {
		if i[0] == word {
			f(i[1])
		}
	}
}

// list is the only instruction of a kind, a list in JSON.
func (s stage) list(t *testing.T, word string) (words []string) {
	t.Helper()
	s.each(word, func(rest string) {
		if err := json.Unmarshal([]byte(rest[strings.Index(rest, "["):]), &words); err != nil {
			t.Fatalf("%s %s: %v", word, rest, err)
		}
	})
	return words
}

func (s stage) env() map[string]string {
	all := make(map[string]string)
	s.each("ENV", func(rest string) {
		for word := range strings.FieldsSeq(rest) {
			name, value, _ := strings.Cut(word, "=")
			all[name] = value
		}
	})
	return all
}

// image is what deploy/Dockerfile makes.
type image struct {
	container
	entry, args, health []string
	volume              string
}

// built are the files that the first stage leaves for the second, by their names there. They are made once.
var built struct {
	once sync.Once
	dir  string
}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(built.dir)
	os.Exit(code)
}

// buildStage runs what makes the binary as it stands, but for where it puts it, and stands in for the rest.
func buildStage(t *testing.T, s stage) string {
	t.Helper()
	built.once.Do(func() {
		var err error
		if built.dir, err = os.MkdirTemp("", "jot-image-"); err != nil {
			t.Fatal(err)
		}
		certificates := filepath.Join(built.dir, "etc/ssl/certs")
		if err := os.MkdirAll(certificates, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(certificates, "ca-certificates.crt"), nil, 0o644); err != nil { // of Debian's image
			t.Fatal(err)
		}
		s.each("RUN", func(line string) {
			line = regexp.MustCompile(` /(jot|state)\b`).ReplaceAllString(line, " "+built.dir+"/$1")
			run := exec.Command("/bin/sh", "-c", line)
			run.Dir, run.Env = repository, os.Environ()
			for name, value := range s.env() {
				run.Env = append(run.Env, name+"="+value)
			}
			if out, err := run.CombinedOutput(); err != nil {
				t.Fatalf("RUN %s: %v\n%s", line, err, out)
			}
		})
	})
	return built.dir
}

// newImage makes the image's root directory, with its files alone.
func newImage(t *testing.T) image {
	t.Helper()
	needContainers(t)
	all := stages(t)
	if len(all) != 2 || all[1].from != "scratch" {
		t.Fatalf("the stages are %v", all)
	}
	from, last := buildStage(t, all[0]), all[1]
	i := image{container: container{root: t.TempDir(), env: last.env()}, entry: last.list(t, "ENTRYPOINT"), args: last.list(t, "CMD"), health: last.list(t, "HEALTHCHECK")}
	last.each("USER", func(rest string) { i.uid, i.gid = owner(t, rest) })
	last.each("VOLUME", func(rest string) { i.volume = rest })
	last.each("COPY", func(rest string) {
		words := strings.Fields(rest)
		uid, gid := int64(0), int64(0)
		for _, word := range words[:len(words)-2] {
			if who, ok := strings.CutPrefix(word, "--chown="); ok {
				uid, gid = owner(t, who)
			}
		}
		source, target := filepath.Join(from, words[len(words)-2]), filepath.Join(i.root, words[len(words)-1])
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-R", "-p", source, target).CombinedOutput(); err != nil {
			t.Fatalf("COPY %s: %v: %s", rest, err, out)
		}
		if err := os.Chown(target, int(uid), int(gid)); err != nil {
			t.Fatal(err)
		}
	})
	return i
}

func owner(t *testing.T, text string) (uid, gid int64) {
	t.Helper()
	user, group, _ := strings.Cut(text, ":")
	uid, err1 := strconv.ParseInt(user, 10, 32)
	gid, err2 := strconv.ParseInt(group, 10, 32)
	if err1 != nil || err2 != nil || uid == 0 {
		t.Fatalf("%s: want the numbers of a user other than root, so that Kubernetes can tell", text)
	}
	return uid, gid
}

// mountVolume is what `docker run -v` does the first time: the volume gets what the image has there.
func (i *image) mountVolume(t *testing.T) string {
	t.Helper()
	volume := filepath.Join(t.TempDir(), "volume")
	if out, err := exec.Command("cp", "-R", "-p", i.root+i.volume, volume).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	i.mounts = append(i.mounts, mount{volume, i.volume, false})
	return volume
}

// TestImage runs the image as deploy/README.md says: as its own user, over a read-only root with nothing in it but the
// image's files, twice over one volume.
func TestImage(t *testing.T) {
	i := newImage(t)
	checkFiles(t, i.root)
	volume := i.mountVolume(t)
	maps.Copy(i.env, readmeVariables(t))
	here := address()
	i.env["JOT_LISTEN"], i.env["JOT_ADMIN_LISTEN"] = here+":8420", here+":8421"
	for range 2 {
		server := i.start(t, append(slices.Clone(i.entry), i.args...)...)
		server.isUp()
		if out, err := i.command(t, i.health...).CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", i.health, err, out)
		}
		if got := status(t, "http://"+here+":8420/.well-known/jwks.json"); got != 200 {
			t.Errorf("the key set: %d", got)
		}
		server.end()
		if out, err := i.command(t, i.health...).CombinedOutput(); err == nil {
			t.Errorf("%q of a server that has ended: %s", i.health, out)
		}
	}
	for name, mode := range map[string]fs.FileMode{"data": 0o700 | fs.ModeDir, "data/jot.db": 0o600, "data.kek": 0o600, "data.witness": 0o600, "data/feed.credential": 0o600} {
		info, err := os.Stat(filepath.Join(volume, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Sys().(*syscall.Stat_t); info.Mode() != mode || int64(got.Uid) != i.uid {
			t.Errorf("%s: mode %v of user %d", name, info.Mode(), got.Uid)
		}
	}
}

func checkFiles(t *testing.T, root string) {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, strings.TrimPrefix(path, root))
		}
		return err
	})
	if want := []string{"/etc/ssl/certs/ca-certificates.crt", "/jot"}; err != nil || !slices.Equal(found, want) {
		t.Errorf("the image has %q, want %q: %v", found, want, err)
	}
}

// readmeVariables are those that the README gives to `docker run`.
func readmeVariables(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "deploy", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, found := range regexp.MustCompile(`-e (JOT_[A-Z_]+)=(\S+)`).FindAllStringSubmatch(string(text), -1) {
		all[found[1]] = found[2]
	}
	if len(all) == 0 {
		t.Error("the README sets nothing")
	}
	return all
}

// TestImageToolchain: the image is built with the release of Go that the modules ask for.
func TestImageToolchain(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "server", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(text))
	if from := stages(t)[0].from; found == nil || !strings.HasPrefix(from, "golang:"+found[1]+"-") {
		t.Errorf("built from %s, and go.mod says %v", from, found)
	}
}
