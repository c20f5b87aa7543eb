package server_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jot-auth/jot/server"
)

func TestSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "secret")
	made, err := server.SecretFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := server.SecretFile(path)
	if err != nil || !bytes.Equal(made.Bytes(), again.Bytes()) {
		t.Fatal("the second start reads another secret:", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if printed := fmt.Sprintf("%v %+v %#v %s %x", made, made, &made, made, made); strings.Contains(printed, made.Text()) || strings.Contains(printed, fmt.Sprintf("%x", made.Bytes())) {
		t.Errorf("a secret prints as %s", printed)
	}
}

func TestSecretFileRefusals(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := server.NewSecret().Text()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(write("target", good, 0o600), link); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"readable by others": write("exposed", good, 0o644),
		"too short":          write("short", good[:20], 0o600),
		"empty":              write("empty", "", 0o600),
		"not base64url":      write("noise", strings.Repeat("!", 43), 0o600),
		"a link":             link,
		"a directory":        dir,
	} {
		if _, err := server.SecretFile(path); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Two processes that start at once agree on one secret.
func TestSecretFileRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	texts := make([]string, 16)
	var all sync.WaitGroup
	for i := range texts {
		all.Go(func() {
			secret, err := server.SecretFile(path)
			if err != nil {
				t.Error(err)
				return
			}
			texts[i] = secret.Text()
		})
	}
	all.Wait()
	for _, text := range texts {
		if text != texts[0] {
			t.Fatal("two secrets from one file")
		}
	}
}
