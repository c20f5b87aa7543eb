package jothttp

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

const (
	lockExclusively   = 2 // LOCKFILE_EXCLUSIVE_LOCK
	failImmediately   = 1 // LOCKFILE_FAIL_IMMEDIATELY
	errorLockViolated = syscall.Errno(33)
)

var lockFileEx = syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")

// tryLock takes an exclusive lock that ends when the file is closed. It returns false when somebody else has it.
func tryLock(file *os.File) (taken bool, err error) {
	var place syscall.Overlapped
	done, _, err := lockFileEx.Call(file.Fd(), lockExclusively|failImmediately, 0, 1, 0, uintptr(unsafe.Pointer(&place)))
	if done != 0 {
		return true, nil
	}
	if errors.Is(err, errorLockViolated) || errors.Is(err, syscall.ERROR_IO_PENDING) {
		return false, nil
	}
	return false, err
}
