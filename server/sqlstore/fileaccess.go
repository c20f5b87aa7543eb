package sqlstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// accessCodes are those of files that SQLite can't open or write, of which it says no more than that.
var accessCodes = map[int]bool{codes.SQLITE_CANTOPEN: true, codes.SQLITE_READONLY: true, codes.SQLITE_PERM: true}

// inTheWay says in the place of such an error which file it is, and why. Where there's none to be found, the error
// stays as it is. It's for who has failed to open a database: closing a file takes away what locks this process has on
// it.
func inTheWay(path string, err error) error {
	var failure *sqlite.Error
	if !errors.As(err, &failure) || !accessCodes[failure.Code()&0xff] {
		return err
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		file, refused := os.OpenFile(name, os.O_RDWR, 0)
		if refused == nil {
			file.Close()
		} else if !errors.Is(refused, fs.ErrNotExist) {
			return notOurs(path, refused)
		}
	}
	file, refused := os.CreateTemp(filepath.Dir(path), ".jot-probe-*")
	if refused != nil {
		return notOurs(path, refused)
	}
	file.Close()
	os.Remove(file.Name())
	return err
}

// notOurs adds to a refusal of the file system what to do about it.
func notOurs(path string, refused error) error {
	if !errors.Is(refused, fs.ErrPermission) {
		return refused
	}
	user := os.Geteuid()
	return fmt.Errorf("%w: who runs this, uid %d, has to own %s and what stands beside it under that name, and to be allowed to write into %s: run chown %d %s*, or run this as their owner",
		refused, user, path, filepath.Dir(path), user, path)
}
