package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/config"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// databaseFlags name a database where 'jot serve' finds it: in the flags, the environment or the configuration file.
type databaseFlags struct{ settingFlags }

// register adds --config, --data and --database, and the flags of more settings.
func (f *databaseFlags) register(cmd *cobra.Command, more ...string) {
	f.settingFlags.register(cmd, append([]string{"data", "database"}, more...)...)
}

// load reads the configuration, of which only the database and what the command names has to be there.
func (f databaseFlags) load(cmd *cobra.Command) (*config.Loaded, error) {
	c, err := f.settingFlags.load()
	if err != nil {
		return nil, usagef("%w", err)
	}
	warnOfDatabaseFlag(cmd, c)
	if c.Database == "" && c.Data == "" {
		return nil, usagef("name a database as for 'jot serve': --config FILE, --data DIR or --database postgres://...")
	}
	if c.Database != "" && !sqlstore.IsPostgres(c.Database) {
		return nil, usagef("%s isn't the URL of a PostgreSQL database: write it as postgres://USER@HOST/DATABASE?sslmode=verify-full", c.Origins["database"])
	}
	return c, nil
}

// database is the one that the server would use.
func (f databaseFlags) database(cmd *cobra.Command) (database, error) {
	c, err := f.load(cmd)
	if err != nil {
		return database{}, err
	}
	return databaseOf(&c.Config), nil
}

// loadRecovery reads the configuration for a recovery.
func (f databaseFlags) loadRecovery(cmd *cobra.Command, keyLost bool) (server.RecoverConfig, error) {
	c, err := f.load(cmd)
	if err != nil {
		return server.RecoverConfig{}, err
	}
	if c.Issuer == "" {
		return server.RecoverConfig{}, usagef("name the issuer as for 'jot serve': --config FILE or --issuer URL")
	}
	return c.Recovery(keyLost)
}

// warnOfDatabaseFlag warns of a password in --database.
func warnOfDatabaseFlag(cmd *cobra.Command, c *config.Loaded) {
	if flag := "--database"; c.Origins["database"] == flag {
		warnOfPassword(cmd, flag, c.Database)
	}
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

func databaseOf(c *config.Config) database {
	if c.Database != "" {
		return database{url: c.Database} // its data directory holds only secrets
	}
	return database{dir: c.Data}
}

// parseDatabase reads sqlite:DIR, postgres://..., or config:FILE, the database of a configuration file. The
// environment, which can't speak of two databases, doesn't count.
func parseDatabase(cmd *cobra.Command, flag, text string) (database, error) {
	if dir, ok := strings.CutPrefix(text, "sqlite:"); ok && dir != "" {
		return database{dir: dir}, nil
	}
	if file, ok := strings.CutPrefix(text, "config:"); ok && file != "" {
		c, err := config.Load(config.Sources{File: file})
		if err == nil && c.Database == "" && c.Data == "" {
			err = fmt.Errorf("there is no database in %s", file)
		}
		if err != nil {
			return database{}, usagef("%s: %w", flag, err)
		}
		return databaseOf(&c.Config), nil
	}
	if !sqlstore.IsPostgres(text) {
		return database{}, usagef("%s: write sqlite:DIR, postgres://USER@HOST/DATABASE?sslmode=verify-full or config:FILE", flag)
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

// aboutDatabase is an error of a command whose whole work is the database: that nothing can be verified now isn't its
// news.
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
