package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build builds a command of this repository into a directory, with the tags of make build, and returns its path.
func Build(dir, folder string) (string, error) {
	path := filepath.Join(dir, filepath.Base(folder))
	if out, err := exec.Command("go", "build", "-tags", "nopgxregisterdefaulttypes", "-o", path, "github.com/jot-auth/jot/"+folder).CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", folder, err, out)
	}
	return path, nil
}

// RunWithJot is for TestMain: it builds the jot command, sets jot to its path, runs the tests, and returns the exit
// code.
func RunWithJot(m *testing.M, jot *string) (code int) {
	dir, err := os.MkdirTemp("", "jot-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		*jot, err = Build(dir, "server/cmd/jot")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
