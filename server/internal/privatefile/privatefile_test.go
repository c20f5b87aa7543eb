package privatefile

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestCheck(t *testing.T) {
	// Only root can make files of root's, which one group may read.
	group := os.Geteuid() == 0
	for mode, good := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o440: group, 0o640: group, 0o460: false, 0o660: false, 0o450: false, 0o604: false, 0o444: false, 0o644: false, 0o666: false,
	} {
		name := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		if err := Check(file); (err == nil) != good {
			t.Errorf("mode %04o: %v", mode, err)
		}
		file.Close()
	}
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if Check(dir) == nil {
		t.Error("a directory is accepted")
	}
}
