//go:build !linux

package main

import "os"

// syncData is a whole fsync where the standard library has no fdatasync.
func syncData(file *os.File) error { return file.Sync() }
