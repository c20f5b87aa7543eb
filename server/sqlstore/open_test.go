package sqlstore_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

func open(t *testing.T, path string, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func put(t *testing.T, store *sqlstore.Store, value int64) error {
	return store.Update(t.Context(), func(tx issuer.Tx) error { return tx.PutSetting("a", value) })
}

func TestFileModes(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "made", "here")
	store := open(t, filepath.Join(directory, "jot.db"), sqlstore.Options{})
	if err := put(t, store, 1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{"": fs.ModeDir | 0o700, "jot.db": 0o600, "jot.db-wal": 0o600, "jot.db-shm": 0o600} {
		info, err := os.Lstat(filepath.Join(directory, path))
		if err != nil || info.Mode() != want {
			t.Errorf("%q: %v, %v, want %v", path, info, err, want)
		}
	}
}

// What keeps SQLite from its files is named, with what to do about it: SQLite says "unable to open database file".
func TestFilesInTheWay(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(directory, path string) error
		want    []string
		asRoot  bool // whom no mode stops
	}{
		"directory in the log's place": {func(_, path string) error { return os.Mkdir(path+"-wal", 0o700) }, []string{"jot.db-wal: is a directory"}, true},
		"directory that can't be written to": {
			func(directory, _ string) error { return os.Chmod(directory, 0o500) }, []string{"permission denied", "run chown", "uid"}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !test.asRoot && os.Geteuid() == 0 {
				t.Skip("root may open everything")
			}
			directory := t.TempDir()
			path := filepath.Join(directory, "jot.db")
			if err := open(t, path, sqlstore.Options{}).Close(); err != nil {
				t.Fatal(err)
			}
			if err := test.prepare(directory, path); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(directory, 0o700) // so that it can be removed
			_, opened := sqlstore.Open(t.Context(), path, sqlstore.Options{})
			_, read := sqlstore.ReadSchema(t.Context(), path)
			for _, want := range test.want {
				if opened == nil || !strings.Contains(opened.Error(), want) || read == nil || !strings.Contains(read.Error(), want) {
					t.Errorf("%v, and %v: want both to say %q", opened, read, want)
				}
			}
			if left, err := filepath.Glob(filepath.Join(directory, ".jot-probe-*")); err != nil || len(left) > 0 {
				t.Errorf("%v is left, %v", left, err)
			}
		})
	}
}

func TestUnsafePaths(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(directory, path string) error
		want    string
	}{
		"directory that others write to":   {func(directory, _ string) error { return os.Chmod(directory, 0o777) }, "chmod 700"},
		"directory that a group writes to": {func(directory, _ string) error { return os.Chmod(directory, 0o770) }, "chmod 700"},
		"file that others read":            {func(_, path string) error { return os.WriteFile(path, nil, 0o644) }, "chmod 600"},
		"file that nobody writes":          {func(_, path string) error { return os.WriteFile(path, nil, 0o400) }, "chmod 600"},
		"directory in its place":           {func(_, path string) error { return os.Mkdir(path, 0o700) }, "not a regular file"},
		"link to a database": {func(directory, path string) error {
			return errors.Join(os.WriteFile(filepath.Join(directory, "other"), nil, 0o600), os.Symlink("other", path))
		}, "never opened through a link"},
		"link to nothing": {func(_, path string) error { return os.Symlink("nowhere", path) }, "never opened through a link"},
		"no database":     {func(_, path string) error { return os.WriteFile(path, []byte(strings.Repeat("text", 1000)), 0o600) }, "not a database"},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			path := filepath.Join(directory, "jot.db")
			if err := test.prepare(directory, path); err != nil {
				t.Fatal(err)
			}
			if _, err := sqlstore.Open(t.Context(), path, sqlstore.Options{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
			if _, err := os.Lstat(filepath.Join(directory, "nowhere")); err == nil {
				t.Error("a file was made through a link")
			}
		})
	}
}

// TestOddPath: the path is a path, whatever characters of URLs it holds.
func TestOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b", "jöt?mode=memory#%20&_pragma=x.db")
	if err := put(t, open(t, path, sqlstore.Options{}), 1); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("file %v, %v", info, err)
	}
}

// TestOpenRace opens one new database many times at once: all see one schema.
func TestOpenRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "jot.db")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			store, err := sqlstore.Open(t.Context(), path, sqlstore.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer store.Close()
			if err := put(t, store, 1); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

// TestLocked: a database that another process keeps locked is unavailable, and isn't waited for longer than it was
// said.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jot.db")
	one, two := open(t, path, sqlstore.Options{}), open(t, path, sqlstore.Options{BusyTimeout: 50 * time.Millisecond})
	err := one.Update(t.Context(), func(tx issuer.Tx) error {
		if err := put(t, two, 2); !errors.Is(err, issuer.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
		return tx.PutSetting("a", 1)
	})
	if err != nil {
		t.Error(err)
	}
	if err := put(t, two, 2); err != nil {
		t.Error(err)
	}
}

// TestQueue: who wants to write is served in the order of arrival, and refused at once when too many wait.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const writers = 8
		store := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{Queue: writers})
		defer store.Close()
		var wait sync.WaitGroup
		var order []int
		for n := range writers {
			wait.Go(func() {
				err := store.Update(t.Context(), func(issuer.Tx) error {
					order = append(order, n)
					time.Sleep(time.Second)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
			time.Sleep(time.Millisecond)
		}
		if err := put(t, store, 1); !errors.Is(err, issuer.ErrBusy) {
			t.Errorf("error %v, want ErrBusy", err)
		}
		time.Sleep(time.Second)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := store.Update(impatient, func(issuer.Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want DeadlineExceeded", err)
		}
		wait.Wait()
		if len(order) != writers || !slices.IsSorted(order) {
			t.Errorf("served in the order %v", order)
		}
		if err := put(t, store, 1); err != nil {
			t.Error(err)
		}
	})
}

// TestReaderCantWrite: not even a Reader that is taken for more than it is.
func TestReaderCantWrite(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	err := store.View(t.Context(), func(r issuer.Reader) error { return r.(issuer.Tx).PutSetting("a", 1) })
	if err == nil {
		t.Error("a Reader wrote")
	}
}

func TestClock(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 678_999_999, time.FixedZone("", 3600))
	store := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{Now: func() time.Time { return at }})
	err := store.View(t.Context(), func(r issuer.Reader) error {
		now, err := r.Now()
		if want := at.UTC().Truncate(time.Millisecond); now != want {
			t.Errorf("the time is %v, want %v", now, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestCloseLeavesOneFile: every connection is closed, so that SQLite puts its log into the database and removes it.
// Whoever copies the file then copies all of it.
func TestCloseLeavesOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jot.db")
	store, err := sqlstore.Open(t.Context(), path, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(r issuer.Reader) error { _, err := r.Keys(); return err }
	err = errors.Join(put(t, store, 1), store.View(t.Context(), func(r issuer.Reader) error {
		return errors.Join(read(r), store.View(t.Context(), read)) // on two connections
	}))
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the log of the database is still there: %v", err)
	}
}
