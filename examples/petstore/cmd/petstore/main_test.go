package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// issuer is a token server with discovery, keys and a feed that it refuses to everyone.
type issuer struct {
	*httptest.Server
	signer *jot.Signer
	asked  chan string // credentials that the feed was asked with
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{asked: make(chan string, 100)}
	if i.signer, err = jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"}); err != nil {
		t.Fatal(err)
	}
	set, err := jot.NewKeySet(key.Public()).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.URL, i.URL+"/.well-known/jwks.json")
	})
	mux.HandleFunc("GET /.well-known/jwks.json", func(w http.ResponseWriter, _ *http.Request) { w.Write(set) })
	mux.HandleFunc("/feed/", func(w http.ResponseWriter, r *http.Request) {
		i.asked <- r.Header.Get("Authorization")
		w.WriteHeader(http.StatusUnauthorized)
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

// token signs a token that may read pets.
func (i *issuer) token(t *testing.T) string {
	t.Helper()
	raw, err := i.signer.Sign(t.Context(), map[string]any{
		"iss": i.URL, "sub": "alice", "aud": "petstore", "scope": "pets:read",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// program is a running petstore.
type program struct {
	url    string
	stop   context.CancelFunc
	code   chan int
	stderr *lockedBuffer
}

// lockedBuffer may be written by the program while a test reads it.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// start runs the program on a free port and waits for its address.
func start(t *testing.T, stdin string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &program{stop: cancel, code: make(chan int, 1), stderr: &lockedBuffer{}}
	out, in := io.Pipe()
	go func() {
		p.code <- run(ctx, append(args, "-listen", "127.0.0.1:0"), strings.NewReader(stdin), in, p.stderr)
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("no address: %v\n%s", err, p.stderr)
	}
	_, p.url, _ = strings.Cut(strings.TrimSpace(line), "listening on ")
	t.Cleanup(cancel)
	return p
}

// finish stops the program and checks that it ends well.
func (p *program) finish(t *testing.T) {
	t.Helper()
	p.stop()
	if code := <-p.code; code != 0 {
		t.Errorf("exit code %d\n%s", code, p.stderr)
	}
}

// get asks the program for a path.
func (p *program) get(t *testing.T, path, token string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

func TestServesWithoutFeed(t *testing.T) {
	t.Setenv("JOT_FEED_CREDENTIAL", "")
	i := newIssuer(t)
	p := start(t, "", "-issuer", i.URL)
	for _, test := range []struct {
		path, token string
		status      int
	}{
		{"/pets", "", 200}, {"/pets/1", "", 401}, {"/pets/1", i.token(t), 200}, {"/pets/1", i.token(t) + "AAAA", 401},
	} {
		if response := p.get(t, test.path, test.token); response.StatusCode != test.status {
			t.Errorf("%s: status %d, want %d", test.path, response.StatusCode, test.status)
		}
	}
	if !strings.Contains(p.stderr.String(), "REVOCATIONS ARE NOT SEEN until tokens expire") {
		t.Errorf("no warning: %s", p.stderr)
	}
	p.finish(t)
}

func TestLostFeedFailsClosed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credential")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, environment, stdin, flag, want string
	}{
		{"file", "from-environment", "", file, "Bearer from-file"},
		{"standard input", "from-environment", "from-stdin\n", "-", "Bearer from-stdin"},
		{"environment", "from-environment", "", "", "Bearer from-environment"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("JOT_FEED_CREDENTIAL", test.environment)
			i := newIssuer(t)
			p := start(t, test.stdin, "-issuer", i.URL, "-feed-credential", test.flag)
			if response := p.get(t, "/pets", ""); response.StatusCode != 200 {
				t.Errorf("public list: status %d", response.StatusCode)
			}
			response := p.get(t, "/pets/1", i.token(t))
			if response.StatusCode != 503 || response.Header.Get("Retry-After") == "" || response.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("without the feed: status %d, header %v", response.StatusCode, response.Header)
			}
			if got := <-i.asked; got != test.want {
				t.Errorf("the feed was asked with %q, want %q", got, test.want)
			}
			p.finish(t)
			if strings.Contains(p.stderr.String(), "WARNING") || strings.Contains(p.stderr.String(), "from-") {
				t.Errorf("standard error: %s", p.stderr)
			}
		})
	}
}

func TestUsageAndFailures(t *testing.T) {
	t.Setenv("JOT_FEED_CREDENTIAL", "")
	i := newIssuer(t)
	for _, test := range []struct {
		name string
		args []string
		code int
	}{
		{"help", []string{"-h"}, 0},
		{"no issuer", nil, 2},
		{"unknown flag", []string{"-issuer", i.URL, "-secret", "x"}, 2},
		{"an argument", []string{"-issuer", i.URL, "x"}, 2},
		{"credential file missing", []string{"-issuer", i.URL, "-feed-credential", filepath.Join(t.TempDir(), "none")}, 2},
		{"credential empty", []string{"-issuer", i.URL, "-feed-credential", "-"}, 2},
		{"plain http", []string{"-issuer", "http://auth.example.com"}, 1},
		{"not the issuer's name", []string{"-issuer", i.URL + "/"}, 1},
		{"address in use", []string{"-issuer", i.URL, "-listen", strings.TrimPrefix(i.URL, "http://")}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), test.args, strings.NewReader(" \n"), &stdout, &stderr)
			if code != test.code || stdout.Len() > 0 || stderr.Len() == 0 {
				t.Errorf("code %d, want %d; standard output %q, error %q", code, test.code, &stdout, &stderr)
			}
		})
	}
}
