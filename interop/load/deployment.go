package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// What the server under test serves. The issuer's URL needn't be where it listens.
const (
	issuerURL = "http://127.0.0.1"
	audience  = "petstore"
	client    = issuer.ClientPrefix + "app"
)

var scopes = []string{"pets:read", "pets:write"}

// deployment is a server with its data.
type deployment struct {
	database string // sqlite or postgres
	dir      string // of the data; the key-encryption key is beside it
}

func (d deployment) logFile() string { return d.dir + ".log" }

// start runs the command. Sign-up is open, so that nothing has to be prepared before the first login.
func (d deployment) start(ctx context.Context, binary string) (*process, error) {
	return start(ctx, d.logFile(), binary, "serve", "--issuer", issuerURL, "--listen", "127.0.0.1:0", "--data", d.dir,
		"--resource", audience+"="+scopes[0]+","+scopes[1], "--open-signup", "--signup-scope", scopes[0])
}

// meter reads the accounts of the server.
func (d deployment) meter(server *process) meter {
	return func() (spent, database time.Duration, err error) {
		spent, err = cpuOf(server.command.Process.Pid)
		return spent, 0, err
	}
}

// open opens the rows, as the server does.
func (d deployment) open(ctx context.Context) (*sqlstore.Store, error) {
	return sqlstore.Open(ctx, filepath.Join(d.dir, server.DatabaseName), sqlstore.Options{})
}

// config is the same as the flags of start.
func (d deployment) config() (server.Config, error) {
	kek, err := server.SecretFile(d.dir + ".kek")
	return server.Config{
		Issuer: issuer.Config{
			URL:              issuerURL,
			Resources:        []issuer.Resource{{Audience: audience, Scopes: scopes}},
			Clients:          []issuer.Client{{ID: client, Scopes: scopes, FirstParty: true}},
			KeyEncryptionKey: kek.Bytes(),
		},
		DataDir: d.dir, SignUpScope: scopes[:1], Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}, err
}

// within calls use with a server in this process, on the same data, while the command isn't running.
func (d deployment) within(ctx context.Context, use func(*server.Server) error) error {
	config, err := d.config()
	if err != nil {
		return err
	}
	s, err := server.New(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(use(s), s.Close())
}
