//go:build !unix

package server

import "os"

func openWithoutLinks(path string) (*os.File, error) { return os.Open(path) }

// syncDir does nothing: directories can't be synced there.
func syncDir(string) error { return nil }

// lockFile does nothing: the operator sees to it that one server runs.
func lockFile(*os.File) error { return nil }
