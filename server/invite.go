package server

import (
	"context"
	"errors"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// BootstrapPath is the page on which a code of InviteAdmin makes an administrator, below the issuer's URL.
const BootstrapPath = "/admin/bootstrap"

// InviteAdmin makes a code with which one administrator can be made, until it expires after an hour, and voids the code
// before it. It works on the database that the configuration names, of which nothing else counts, beside servers that
// run on it: whoever may write to the database is the operator. A database that no server has made yet, or brought up
// to date, is an error.
func InviteAdmin(ctx context.Context, c Config) (code string, expires time.Time, err error) {
	store, err := openBeside(ctx, c)
	if err != nil {
		return "", time.Time{}, err
	}
	code, expires, err = issuer.InviteAdmin(ctx, store)
	return code, expires, errors.Join(err, store.Close())
}
