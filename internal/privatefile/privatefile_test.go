package privatefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jot-auth/jot/internal/privatefile"
)

func TestWriteAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if _, err := privatefile.Read(path, 10); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, text := range []string{"first", "the 2nd", ""} {
		if err := privatefile.Write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := privatefile.Read(path, 7); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%v is left, %v", entries, err)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	open, large := filepath.Join(dir, "open"), filepath.Join(dir, "large")
	for path, mode := range map[string]fs.FileMode{open: 0o640, large: 0o600} {
		if err := errors.Join(os.WriteFile(path, []byte("12345678"), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{open, large, dir} {
		if text, err := privatefile.Read(path, 7); err == nil {
			t.Errorf("%s: %q", path, text)
		}
	}
	if err := privatefile.Write(filepath.Join(dir, "missing", "file"), nil); err == nil {
		t.Error("a file in no directory was written")
	}
}
