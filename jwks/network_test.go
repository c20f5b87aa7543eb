package jwks_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/jwks"
)

// TestNoGoroutineBetweenFetches uses the package's own client against a real server.
func TestNoGoroutineBetweenFetches(t *testing.T) {
	server := httptest.NewServer(set(t, "", newKey(t, "a")))
	defer server.Close()
	source, err := jwks.NewSource(server.URL, jwks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	want(t, source, "a", "a")

	deadline := time.Now().Add(time.Minute)
	for {
		stacks := allStacks()
		if !strings.Contains(stacks, "jwks.(*Source)") && !strings.Contains(stacks, "http.(*persistConn)") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines are left after a fetch:\n%s", stacks)
		}
		runtime.Gosched()
	}
}

// TestBodyIsBoundedAfterDecompression sends a small answer that unpacks to a large one.
func TestBodyIsBoundedAfterDecompression(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, `{"keys":[]`+strings.Repeat(" ", 1<<20)+`}`)
	z.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	}))
	defer server.Close()
	source, err := jwks.NewSource(server.URL, jwks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if _, err := lookUp(source, "a"); err == nil || !strings.Contains(err.Error(), "larger than 512 KiB") {
		t.Errorf("got %v, want a refusal of the size", err)
	}
}

func TestHeaderIsBounded(t *testing.T) {
	keys := set(t, "", newKey(t, "a"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Padding", strings.Repeat("x", 128<<10))
		keys(w, r)
	}))
	defer server.Close()
	source, err := jwks.NewSource(server.URL, jwks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	want(t, source, "a", "error")
}

func allStacks() string {
	buffer := make([]byte, 1<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}
