package server

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// lockName is the file in the data directory whose lock one server holds. It's empty, and stays.
const lockName = "jot.lock"

// lockDataDir keeps a second server out: each would learn of the other's revocations late. The lock ends with the
// process, however that ends.
func lockDataDir(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("another server uses the data directory %s: stop it first, or name another directory (%w)", dir, err)
	}
	return file, nil
}

// LockDataDir keeps servers out of a data directory, until what it returns is closed: for who moves or changes the
// database in it. It fails while a server uses it.
func LockDataDir(dir string) (io.Closer, error) { return lockDataDir(dir) }
