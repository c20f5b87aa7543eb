// Package privatefile reads and writes small files that are for one user alone.
package privatefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Read returns the content of a file, at most limit bytes. It refuses a file that others can open and one that isn't
// regular; one that doesn't exist is fs.ErrNotExist.
func Read(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err = check(path, info, err); err != nil { // already here, since opening a pipe waits for whoever writes to it
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err = file.Stat()
	if err = check(path, info, err); err != nil { // again, for somebody may have exchanged it in between
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return text, err
}

// check judges a file by what is known of it.
func check(path string, info fs.FileInfo, err error) error {
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: name another one", path)
	case info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows": // where access lists decide
		return fmt.Errorf("others can open %s (mode %04o): delete it", path, info.Mode().Perm())
	}
	return nil
}

// Write puts a whole new file of mode 0600 in the place of the old one, so that a crash leaves one of them.
func Write(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // nothing, once it has its new name
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
