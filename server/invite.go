package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// BootstrapPath is the page on which a code of InviteAdmin makes an administrator, below the issuer's URL.
const BootstrapPath = "/admin/bootstrap"

// InviteAdmin makes a code with which one administrator can be made, until it expires after an hour, and voids the code before it. It
// works on the database itself, beside a server that runs on it, and needs no key: whoever may write to the database is the operator. A
// database that isn't there is an error.
func InviteAdmin(ctx context.Context, dataDir string) (code string, expires time.Time, err error) {
	path := filepath.Join(dataDir, DatabaseName)
	if _, err := os.Stat(path); err != nil {
		return "", time.Time{}, fmt.Errorf("server: there is no database yet: start the server once: %w", err)
	}
	store, err := sqlstore.Open(ctx, path, sqlstore.Options{})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("server: opening the database: %w", err)
	}
	code, expires, err = issuer.InviteAdmin(ctx, store)
	return code, expires, errors.Join(err, store.Close())
}
