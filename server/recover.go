package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// RecoverConfig says which database is recovered. URL, KeyEncryptionKey and Database or DataDir are required, and as in
// Config.
type RecoverConfig struct {
	Database               string // connection string of a PostgreSQL database; "" is the SQLite file in DataDir
	DataDir                string
	URL                    string // of the issuer
	KeyEncryptionKey       []byte
	OlderKeyEncryptionKeys [][]byte // as in issuer.RecoverOptions
	KeyLost                bool     // KeyEncryptionKey is a new one: see issuer.RecoverOptions; one-time codes are lost, too
	ForeignIssuers         []issuer.ForeignIssuer
	WitnessFile            string // "" is beside the data directory; without one, none is read or written
}

func (c RecoverConfig) withDefaults() (RecoverConfig, error) {
	if c.Database == "" && c.DataDir == "" {
		return c, errors.New("DataDir is empty: name the directory of the database, or a PostgreSQL database in Database")
	}
	if c.WitnessFile == "" && c.DataDir != "" {
		c.WitnessFile = defaultWitness(c.DataDir)
	}
	return c, checkWitnessPath(c.WitnessFile, c.DataDir)
}

func (c RecoverConfig) file() string { return filepath.Join(c.DataDir, DatabaseName) }

// Recover makes a database safe to serve that has come back from the past, and the witness file agree with it: see
// issuer.Recover. The servers have to be stopped: it fails while one runs on the data directory, and where there is no
// database.
func Recover(ctx context.Context, c RecoverConfig) (_ issuer.Recovery, err error) {
	c, err = c.withDefaults()
	if err != nil {
		return issuer.Recovery{}, err
	}
	store, lock, err := c.open(ctx)
	if err != nil {
		return issuer.Recovery{}, err
	}
	defer func() { err = errors.Join(err, store.Close(), lock.Close()) }()
	done, err := c.recover(ctx, store)
	if err != nil {
		return done, err
	}
	return done, c.remember(done)
}

// open opens a database that exists, and keeps servers out of a data directory.
func (c RecoverConfig) open(ctx context.Context) (*sqlstore.Store, io.Closer, error) {
	if c.Database != "" {
		store, err := sqlstore.OpenPostgres(ctx, c.Database, sqlstore.Options{})
		return store, io.NopCloser(nil), err
	}
	if missing(c.file()) {
		return nil, nil, fmt.Errorf("there is no database %s: name the data directory of the server, or restore a backup", c.file())
	}
	lock, err := lockDataDir(c.DataDir)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.Open(ctx, c.file(), sqlstore.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, lock.Close())
	}
	return store, lock, nil
}

func (c RecoverConfig) recover(ctx context.Context, store *sqlstore.Store) (issuer.Recovery, error) {
	options := issuer.RecoverOptions{URL: c.URL, KeyEncryptionKey: c.KeyEncryptionKey, OlderKeyEncryptionKeys: c.OlderKeyEncryptionKeys, KeyLost: c.KeyLost, ForeignIssuers: c.ForeignIssuers}
	if seen, err := readWitness(c.WitnessFile); err == nil { // a damaged one is replaced
		options.Witness = seen
	} else if errors.Is(err, fs.ErrPermission) {
		return issuer.Recovery{}, err
	}
	if err := c.resealFactors(ctx, store); err != nil {
		return issuer.Recovery{}, err
	}
	return issuer.Recover(ctx, store, options)
}

// resealFactors comes before anything else is changed, as a wrong key-encryption key is to show. After it the older
// ones aren't needed.
func (c RecoverConfig) resealFactors(ctx context.Context, store *sqlstore.Store) error {
	secrets, err := issuer.NewSecrets(slices.Concat([][]byte{c.KeyEncryptionKey}, c.OlderKeyEncryptionKeys)...)
	if err != nil {
		return err
	}
	if c.KeyLost {
		return accounts.LoseFactors(ctx, store, secrets)
	}
	return accounts.ResealFactors(ctx, store, secrets)
}

// remember makes the witness one of the recovered database.
func (c RecoverConfig) remember(done issuer.Recovery) error {
	if c.WitnessFile == "" {
		return nil
	}
	return writeWitness(c.WitnessFile, done.Witness)
}
