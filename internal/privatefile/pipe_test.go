//go:build darwin || freebsd || linux || netbsd || openbsd

package privatefile_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jot-auth/jot/internal/privatefile"
)

// A pipe is refused like whatever isn't a regular file, and not waited for until somebody writes to it.
func TestReadRefusesPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err) // the file system has none
	}
	refused := make(chan error, 1)
	go func() {
		_, err := privatefile.Read(path, 7)
		refused <- err
	}()
	select {
	case err := <-refused:
		if err == nil {
			t.Error("a pipe was read")
		}
	case <-time.After(20 * time.Second):
		t.Error("the pipe is waited for")
		if writer, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			writer.Close() // which lets it go
		}
	}
}
