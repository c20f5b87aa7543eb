//go:build unix

package server

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// openWithoutLinks opens a file for reading, unless its name is a link; a named pipe doesn't make it wait.
func openWithoutLinks(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("the secret %s is a symbolic link: name the file itself", path)
	}
	return file, err
}

// syncDir makes a new name in a directory survive a loss of power.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// lockFile takes an exclusive lock, or fails at once.
func lockFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
