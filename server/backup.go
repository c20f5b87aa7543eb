package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// databaseFiles are what SQLite keeps of one database, as suffixes of its name. The file itself is the first: without
// it, the others say nothing.
var databaseFiles = []string{"", "-wal", "-shm", "-journal"}

// unfinishedRestore is the pattern of the directory in which a backup is made ready.
const unfinishedRestore = ".restore-*"

// Backup copies the database of a data directory into a new file, which it checks, while a server may use it. It never
// overwrites a file, and fails where there is one. The copy holds password hashes and encrypted private keys, and not
// the key-encryption key, without which they are of no use. Progress, where it isn't nil, is told how much is copied,
// of how much.
func Backup(ctx context.Context, dataDir, file string, progress func(done, total int)) error {
	if err := sqlstore.Backup(ctx, filepath.Join(dataDir, DatabaseName), file, progress); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s exists already, and a backup is never overwritten: choose another name", file)
		}
		return err
	}
	return syncDir(filepath.Dir(file))
}

// RestoreConfig says which backup takes whose place.
type RestoreConfig struct {
	RecoverConfig

	File     string                // the backup
	Replace  bool                  // puts a database that exists aside; otherwise it is an error
	Progress func(done, total int) // as for Backup; may be nil
}

// Restored is what Restore did.
type Restored struct {
	issuer.Recovery
	Aside string // the directory with the database of before; "" where there was none
}

// Restore puts a backup in place and recovers it: see Recover. The backup is copied, checked and recovered before
// anything of what is there is touched, so that an end in the middle leaves the old database, or none, or the recovered
// one. The server has to be stopped: it fails while one runs here.
func Restore(ctx context.Context, c RestoreConfig) (done Restored, err error) {
	if c.RecoverConfig, err = c.withDefaults(); err != nil {
		return done, err
	}
	if c.Database != "" || c.DataDir == "" {
		return done, errors.New("only a SQLite database in a data directory can be restored: PostgreSQL has tools of its own, and Recover for afterwards")
	}
	if missing(c.File) {
		return done, fmt.Errorf("there is no backup %s", c.File)
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return done, err
	}
	lock, err := lockDataDir(c.DataDir)
	if err != nil {
		return done, err
	}
	defer lock.Close()
	if !c.Replace && c.anyDatabase() {
		return done, fmt.Errorf("there is a database in %s already: to put it aside and restore the backup in its place, say --replace", c.DataDir)
	}
	if err := c.removeUnfinished(); err != nil {
		return done, err
	}
	work, err := os.MkdirTemp(c.DataDir, unfinishedRestore)
	if err != nil {
		return done, err
	}
	defer os.RemoveAll(work)
	copied := filepath.Join(work, DatabaseName)
	if err := sqlstore.Backup(ctx, c.File, copied, c.Progress); err != nil {
		return done, err
	}
	if done.Recovery, err = c.recoverFile(ctx, copied); err != nil {
		return done, err
	}
	if done.Aside, err = c.putAside(time.Now()); err != nil {
		return done, err
	}
	if err := errors.Join(os.Rename(copied, c.file()), syncDir(c.DataDir)); err != nil {
		return done, err
	}
	return done, c.remember(done.Recovery)
}

// recoverFile brings a copy up to date, recovers it, and leaves it whole in its one file.
func (c RestoreConfig) recoverFile(ctx context.Context, file string) (_ issuer.Recovery, err error) {
	store, err := sqlstore.Open(ctx, file, sqlstore.Options{})
	if err != nil {
		return issuer.Recovery{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return c.recover(ctx, store)
}

// removeUnfinished removes what a restore left behind that was killed. The lock makes sure that none is at work.
func (c RestoreConfig) removeUnfinished() error {
	left, err := filepath.Glob(filepath.Join(c.DataDir, unfinishedRestore))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

func (c RestoreConfig) anyDatabase() bool {
	for _, suffix := range databaseFiles {
		if !missing(c.file() + suffix) {
			return true
		}
	}
	return false
}

// putAside moves the database with all its files, of which none may stay: SQLite would take them for the new one's. All
// of them are in their new place before the first leaves the old one: an end in the middle never leaves a database
// without its latest commits, which are in another file.
func (c RestoreConfig) putAside(now time.Time) (string, error) {
	if !c.anyDatabase() {
		return "", nil
	}
	aside := filepath.Join(c.DataDir, "replaced-"+now.UTC().Format("20060102T150405.000Z"))
	if err := os.Mkdir(aside, 0o700); err != nil {
		return "", err
	}
	for _, suffix := range databaseFiles {
		err := os.Link(c.file()+suffix, filepath.Join(aside, DatabaseName+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := errors.Join(syncDir(aside), syncDir(c.DataDir)); err != nil {
		return "", err
	}
	for _, suffix := range databaseFiles {
		if err := os.Remove(c.file() + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, syncDir(c.DataDir)
}
