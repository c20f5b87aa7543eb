package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// databaseFlags name a database: that of a data directory, or a PostgreSQL database.
type databaseFlags struct{ data, url string }

func (f *databaseFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.data, "data", "", "data `DIR` of jot serve, with a SQLite file")
	flags.StringVar(&f.url, "database", "", "`URL` of a PostgreSQL database, such as postgres://jot@db.example.com/jot?sslmode=verify-full (or $JOT_DATABASE)")
}

// database returns what the flags name, or the environment does where there are none.
func (f databaseFlags) database(cmd *cobra.Command) (database, error) {
	switch {
	case f.data != "" && f.url != "":
		return database{}, usagef("name one database: --data DIR or --database URL")
	case f.data != "":
		return database{dir: f.data}, nil
	}
	if f.url == "" {
		f.url = os.Getenv("JOT_DATABASE")
	} else {
		warnOfPassword(cmd, "--database", f.url)
	}
	if !sqlstore.IsPostgres(f.url) {
		return database{}, usagef("name a database: --data DIR, or --database postgres://...")
	}
	return database{url: f.url}, nil
}

// warnOfPassword tells of a password that other users of the machine can read.
func warnOfPassword(cmd *cobra.Command, flag, connection string) {
	u, err := url.Parse(connection)
	if err != nil {
		return // whoever opens it will say so
	}
	if _, visible := u.User.Password(); visible || u.Query().Has("password") {
		warn(cmd, "other users of this machine can read the password in %s: put it into $PGPASSWORD or a .pgpass file", flag)
	}
}

// database is a data directory or a connection string.
type database struct{ dir, url string }

// parseDatabase reads sqlite:DIR or postgres://....
func parseDatabase(cmd *cobra.Command, flag, text string) (database, error) {
	if dir, ok := strings.CutPrefix(text, "sqlite:"); ok && dir != "" {
		return database{dir: dir}, nil
	}
	if !sqlstore.IsPostgres(text) {
		return database{}, usagef("%s: write sqlite:DIR or postgres://USER@HOST/DATABASE?sslmode=verify-full", flag)
	}
	warnOfPassword(cmd, flag, text)
	return database{url: text}, nil
}

func (d database) file() string { return filepath.Join(d.dir, server.DatabaseName) }

// schema reads the state of the schema.
func (d database) schema(ctx context.Context) (sqlstore.Schema, error) {
	schema, err := sqlstore.ReadSchema(ctx, cmp.Or(d.url, d.file()))
	return schema, aboutDatabase(err)
}

// use opens the database, brings its schema up to date, and keeps servers out of a data directory meanwhile.
func (d database) use(ctx context.Context, f func(*sqlstore.Store) error) error {
	open := func() (*sqlstore.Store, error) { return sqlstore.OpenPostgres(ctx, d.url, sqlstore.Options{}) }
	var lock io.Closer = io.NopCloser(nil)
	if d.url == "" {
		var err error
		if err = os.MkdirAll(d.dir, 0o700); err != nil {
			return err
		}
		if lock, err = server.LockDataDir(d.dir); err != nil {
			return err
		}
		open = func() (*sqlstore.Store, error) { return sqlstore.Open(ctx, d.file(), sqlstore.Options{}) }
	}
	store, err := open()
	if err != nil {
		return errors.Join(aboutDatabase(err), lock.Close())
	}
	return errors.Join(aboutDatabase(f(store)), store.Close(), lock.Close())
}

// aboutDatabase is an error of a command whose whole work is the database: that nothing can be verified now isn't its news.
func aboutDatabase(err error) error {
	if !errors.Is(err, issuer.ErrUnavailable) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), issuer.ErrUnavailable.Error()+": ", ""))
}

// exists fails for a data directory without a database, which use would make.
func (d database) exists() error {
	if d.url != "" || !missing(d.file()) {
		return nil
	}
	return usagef("there is no database %s", d.file())
}

func missing(file string) bool {
	_, err := os.Lstat(file)
	return errors.Is(err, fs.ErrNotExist)
}
