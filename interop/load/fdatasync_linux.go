package main

import (
	"os"
	"syscall"
)

// syncData keeps the file's content, and of what else is known about it only what is needed to read it.
func syncData(file *os.File) error { return syscall.Fdatasync(int(file.Fd())) }
