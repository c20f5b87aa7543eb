package jothttp_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/jothttp"
)

// Two programs share one session's file: whichever comes first refreshes, the other finds the new pair.
func TestFileStoreShared(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.Tokens = jothttp.FileStore(filepath.Join(t.TempDir(), "new", "tokens.json"))
	first, _ := w.loggedIn(o)
	second, _ := w.loggedIn(o)
	w.now.Add(3600)
	var both sync.WaitGroup
	for range 10 {
		both.Go(func() { w.status(first, "GET", "") })
		both.Go(func() { w.status(second, "GET", "") })
	}
	both.Wait()
	w.want(1, 20)
	later, err := jothttp.NewTransport(o)
	if err != nil {
		t.Fatal(err)
	}
	if pair, err := later.Tokens(t.Context()); err != nil || pair.Access != "access2" || pair.Expires.Sub(w.clock()) != 15*time.Minute {
		t.Errorf("%v, %v", pair, err)
	}
}

func TestFileStoreRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) jothttp.FileStore {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return jothttp.FileStore(path)
	}
	for _, store := range []jothttp.FileStore{
		write("readable", `{"access_token":"a"}`, 0o644),
		write("torn", `{"access_token":"a`, 0o600),
		write("doubled", `{"access_token":"a","access_token":"b"}`, 0o600),
		jothttp.FileStore(dir),
	} {
		if pair, err := store.Load(t.Context()); err == nil || pair != (jothttp.TokenPair{}) {
			t.Errorf("%s: %v, %v", store, pair, err)
		}
	}
	store := jothttp.FileStore(filepath.Join(dir, "fresh"))
	if pair, err := store.Load(t.Context()); err != nil || pair != (jothttp.TokenPair{}) {
		t.Errorf("without a file: %v, %v", pair, err)
	}
	if err := store.Update(t.Context(), func(jothttp.TokenPair) (jothttp.TokenPair, error) { return jothttp.TokenPair{Access: "a"}, nil }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(string(store)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".fresh-*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left behind, %v", left, err)
	}
}

// A context that ends lets the caller go who waits for another process's update.
func TestFileStoreLockWaits(t *testing.T) {
	store := jothttp.FileStore(filepath.Join(t.TempDir(), "tokens"))
	err := store.Update(t.Context(), func(pair jothttp.TokenPair) (jothttp.TokenPair, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := store.Update(ctx, func(jothttp.TokenPair) (jothttp.TokenPair, error) {
			t.Error("two updates at once")
			return jothttp.TokenPair{}, nil
		}); err == nil {
			t.Error("no error")
		}
		return pair, nil
	})
	if err != nil {
		t.Error(err)
	}
}

const (
	counting = 50
	child    = "JOTHTTP_TEST_STORE"
)

// Of several processes none loses another's update.
func TestFileStoreAcrossProcesses(t *testing.T) {
	if path := os.Getenv(child); path != "" {
		count(t, jothttp.FileStore(path))
		return
	}
	path := filepath.Join(t.TempDir(), "tokens")
	var children []*exec.Cmd
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFileStoreAcrossProcesses$")
		cmd.Env = append(os.Environ(), child+"="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, cmd)
	}
	for _, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if pair, err := jothttp.FileStore(path).Load(t.Context()); err != nil || pair.Access != strconv.Itoa(3*counting) {
		t.Errorf("%s, %v", pair.Access, err)
	}
}

func count(t *testing.T, store jothttp.FileStore) {
	for range counting {
		err := store.Update(t.Context(), func(pair jothttp.TokenPair) (jothttp.TokenPair, error) {
			n, _ := strconv.Atoi(pair.Access)
			return jothttp.TokenPair{Access: fmt.Sprint(n + 1)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
