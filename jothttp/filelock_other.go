//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package jothttp

import (
	"errors"
	"os"
)

// tryLock fails: without a lock, two processes would use one refresh token.
func tryLock(*os.File) (taken bool, err error) {
	return false, errors.New("this operating system has no file locks: use a TokenStore of your own")
}
