//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package jothttp

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes an exclusive lock that ends when the file is closed. It returns false when somebody else has it.
func tryLock(file *os.File) (taken bool, err error) {
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	return err == nil, err
}
