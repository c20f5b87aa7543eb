package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// BootstrapPath is the page on which a code of InviteAdmin makes an administrator, below the issuer's URL.
const BootstrapPath = "/admin/bootstrap"

// InviteAdmin makes a code with which one administrator can be made, until it expires after an hour, and voids the code before it. It
// works on the database that the configuration names, of which nothing else counts, beside servers that run on it: whoever may write to the
// database is the operator. A database that no server has made yet, or brought up to date, is an error.
func InviteAdmin(ctx context.Context, c Config) (code string, expires time.Time, err error) {
	name := c.Database
	if name == "" {
		name = filepath.Join(c.DataDir, DatabaseName)
	}
	schema, err := sqlstore.ReadSchema(ctx, name)
	if err == nil && schema.Version == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("server: there is no database yet: start the server once (%w)", err)
	}
	if len(schema.Pending) > 0 { // a server of an older version may be at work
		return "", time.Time{}, errors.New("server: the database is of an older version than this program: start the server of this version first")
	}
	store, err := openStore(ctx, c)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("server: opening the database: %w", err)
	}
	code, expires, err = issuer.InviteAdmin(ctx, store)
	return code, expires, errors.Join(err, store.Close())
}
