package deployed

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/jot-auth/jot/interop/machine"
)

// pod is one replica of the manifest.
type pod struct {
	*process
	m       manifest
	address string
}

// startPod does what a kubelet does: volumes, variables, users, and the command of the image with the manifest's
// arguments.
func startPod(t *testing.T, m manifest, secret map[string]string) pod {
	t.Helper()
	image, spec, c := newImage(t), m.pod(), m.container()
	running := image.container
	running.uid, running.gid = *spec.SecurityContext.RunAsUser, *spec.SecurityContext.RunAsGroup
	if *spec.SecurityContext.FSGroup != running.gid {
		t.Errorf("files of the group %d, and a process of %d", *spec.SecurityContext.FSGroup, running.gid)
	}
	volumes := make(map[string]string)
	for _, v := range spec.Volumes {
		volumes[v.Name] = makeVolume(t, m, v, secret, int(running.gid))
	}
	for _, mounted := range c.VolumeMounts {
		from, ok := volumes[mounted.Name]
		if !ok {
			t.Fatalf("there is no volume %s", mounted.Name)
		}
		running.mounts = append(running.mounts, mount{filepath.Join(from, mounted.SubPath), mounted.MountPath, mounted.ReadOnly})
	}
	p := pod{m: m, address: address()}
	for _, variable := range c.Env {
		if ref := variable.ValueFrom.SecretKeyRef; ref.Name != "jot" || secret[ref.Key] == "" {
			t.Fatalf("the secret has no %s %s", ref.Name, ref.Key)
		}
		running.env[variable.Name] = secret[variable.ValueFrom.SecretKeyRef.Key]
	}
	// All pods are on this machine, each with an address of its own.
	running.env["JOT_LISTEN"], running.env["JOT_ADMIN_LISTEN"] = p.url(t, "http")[len("http://"):], p.url(t, "admin")[len("http://"):]
	if len(c.Command) > 0 {
		t.Error("the command isn't that of the image")
	}
	p.process = running.start(t, append(slices.Clone(image.entry), c.Args...)...)
	return p
}

// makeVolume makes a directory with what a volume holds, owned and readable as in a pod.
func makeVolume(t *testing.T, m manifest, v core.Volume, secret map[string]string, group int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), v.Name)
	files, mode := map[string]string{}, os.FileMode(0o644)
	switch {
	case v.ConfigMap != nil && v.ConfigMap.Name == m.configuration.Name:
		files = m.configuration.Data
	case v.Secret != nil && v.Secret.SecretName == "jot":
		for _, item := range v.Secret.Items {
			files[item.Path] = secret[item.Key]
		}
		mode = os.FileMode(*v.Secret.DefaultMode)
	case v.EmptyDir == nil:
		t.Fatalf("the volume %s is of a kind that this test doesn't know", v.Name)
	}
	err := os.Mkdir(dir, 0o777)
	if err == nil {
		err = os.Chown(dir, 0, group)
	}
	if err == nil {
		err = os.Chmod(dir, 0o777|os.ModeSetgid)
	}
	for name, text := range files {
		if text == "" {
			t.Errorf("the secret lacks %s", name)
		}
		path := filepath.Join(dir, name)
		if err == nil {
			err = os.WriteFile(path, []byte(text), mode)
		}
		if err == nil {
			err = os.Chown(path, 0, group)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// url is that of a port of the pod.
func (p pod) url(t *testing.T, port string) string {
	t.Helper()
	return fmt.Sprintf("http://%s:%d", p.address, p.m.port(t, intstr.FromString(port)))
}

// probe is where a kubelet asks.
func (p pod) probe(t *testing.T, probe *core.Probe) string {
	t.Helper()
	return fmt.Sprintf("http://%s:%d%s", p.address, p.m.port(t, probe.HTTPGet.Port), probe.HTTPGet.Path)
}

// post sends JSON to the pod as the ingress controller does, and returns the answer's members.
func (p pod) post(t *testing.T, path string, body map[string]string, want int) map[string]any {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(p.url(t, "http")+path, "application/json", bytes.NewReader(text))
	for n := 0; err == nil && response.StatusCode == http.StatusServiceUnavailable && n < 20; n++ { // the machine is busy, and a client asks again
		response.Body.Close()
		time.Sleep(time.Second)
		response, err = http.Post(p.url(t, "http")+path, "application/json", bytes.NewReader(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		t.Errorf("%s: %d, want %d: %s %v", path, response.StatusCode, want, answer, err)
	}
	members := make(map[string]any)
	json.Unmarshal(answer, &members) // an empty body has none
	return members
}

// TestPods: two pods that start before their database live and aren't ready; then they are, and are one server. One
// that ends is unready first.
func TestPods(t *testing.T) {
	needContainers(t)
	m := readManifest(t)
	database := newDatabase(t)
	secret := map[string]string{"kek": newSecret(), "feed-credential": newSecret(), "database": database.url}
	pods := []pod{startPod(t, m, secret), startPod(t, m, secret)}
	c := m.container()
	for _, p := range pods {
		for _, alive := range []*core.Probe{c.StartupProbe, c.LivenessProbe} {
			becomes(t, p.probe(t, alive), 200)
		}
		becomes(t, p.probe(t, c.ReadinessProbe), 503)
	}
	database.come()
	for _, p := range pods {
		p.isUp()
		for _, probe := range []*core.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			becomes(t, p.probe(t, probe), 200)
		}
	}
	one, other := pods[0], pods[1]
	person := map[string]string{"username": "ada", "password": "a password that nobody guesses"}
	one.post(t, "/v1/signup", person, 201)
	pair := other.post(t, "/v1/login", person, 200)
	pair = one.post(t, "/v1/refresh", map[string]string{"refresh_token": fmt.Sprint(pair["refresh_token"])}, 200)
	renew := map[string]string{"refresh_token": fmt.Sprint(pair["refresh_token"])}
	other.post(t, "/v1/logout", renew, 204)
	one.post(t, "/v1/refresh", renew, 401)

	one.end("the server waits for it")
	becomes(t, other.probe(t, c.ReadinessProbe), 200)
	other.end("the server waits for it")
}

func newSecret() string {
	var random [32]byte
	rand.Read(random[:])
	return base64.RawURLEncoding.EncodeToString(random[:]) + "\n" // as the README makes it
}

// database is a PostgreSQL that isn't reached before it comes.
type database struct {
	url    string
	target string
	mu     sync.Mutex
	open   bool
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	u, err := url.Parse(machine.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	d := &database{target: u.Host}
	u.Host = listener.Addr().String()
	d.url = u.String()
	go d.accept(listener) // ends with it
	return d
}

// come lets connections through from now on.
func (d *database) come() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = true
}

func (d *database) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		open := d.open
		d.mu.Unlock()
		server, err := net.Dial("tcp", d.target)
		if err != nil || !open {
			client.Close()
			if err == nil {
				server.Close()
			}
			continue
		}
		for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
			go func() { // ends with either connection
				io.Copy(way[0], way[1])
				client.Close()
				server.Close()
			}()
		}
	}
}

// TestManifestWaits: what is waited for at the start is within what the startup probe bears: it asks for a sign of
// life, which there is from the beginning.
func TestManifestWaits(t *testing.T) {
	m := readManifest(t)
	for name, probe := range map[string]*core.Probe{"startup": m.container().StartupProbe, "liveness": m.container().LivenessProbe} {
		if probe.HTTPGet == nil || !strings.HasSuffix(probe.HTTPGet.Path, "/healthz") {
			t.Errorf("the %s probe ends a server that waits for its database: %+v", name, probe.HTTPGet)
		}
	}
}
