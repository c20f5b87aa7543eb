package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/interop/programs"
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

// databaseVariable tells the command its database, with the password that other users would see among its arguments.
const databaseVariable = "JOT_DATABASE"

// deployment is a server with its data.
type deployment struct {
	dir     string            // of the data; the key-encryption key is beside it
	url     string            // of a PostgreSQL; "" is SQLite
	cluster *programs.Cluster // in which that is
}

// database is the name of the database, as the flags have it.
func (d deployment) database() string {
	if d.url != "" {
		return postgreSQL
	}
	return sqlite
}

// noThrottling lets thousands log in from one address; it has no flag, so that nobody does it in passing.
const noThrottling = "JOT_LOG_IN_NO_THROTTLING=true"

// start runs the command. Sign-up is open, so that people can be made.
func (d deployment) start(ctx context.Context, binary string) (*programs.Program, error) {
	command := exec.CommandContext(ctx, binary, "serve", "--issuer", issuerURL, "--listen", "127.0.0.1:0", "--admin-listen", "", "--data", d.dir,
		"--resource", audience+"="+scopes[0]+","+scopes[1], "--open-signup", "--signup-scope", scopes[0])
	command.Env = append(os.Environ(), noThrottling)
	if d.url != "" {
		command.Env = append(command.Env, databaseVariable+"="+d.url)
	}
	return programs.Start(command, d.dir+".log")
}

// meter reads the accounts of the server, and of all processes of its PostgreSQL.
func (d deployment) meter(server *programs.Program) meter {
	return func() (spent, database time.Duration, err error) {
		spent, err = programs.CPU(server.PID())
		if err == nil && d.cluster != nil {
			database, err = programs.CPUOfFamily(d.cluster.PID())
		}
		return spent, database, err
	}
}

// open opens the rows, as the server does.
func (d deployment) open(ctx context.Context) (*sqlstore.Store, error) {
	if d.url != "" {
		return sqlstore.OpenPostgres(ctx, d.url, sqlstore.Options{})
	}
	return sqlstore.Open(ctx, filepath.Join(d.dir, server.DatabaseName), sqlstore.Options{})
}

// config is that of the flags of start.
func (d deployment) config() (issuer.Config, error) {
	kek, err := server.SecretFile(d.dir + ".kek")
	if err != nil {
		return issuer.Config{}, err
	}
	return issuer.Config{
		URL:              issuerURL,
		Resources:        []issuer.Resource{{Audience: audience, Scopes: scopes}},
		Clients:          []issuer.Client{{ID: client, Scopes: scopes, FirstParty: true}},
		KeyEncryptionKey: kek.Bytes(),
		Logger:           slog.New(slog.NewTextHandler(io.Discard, nil)),
	}, nil
}

// within calls use with the issuer in this process, on the same data as the server's, while that isn't running.
func (d deployment) within(ctx context.Context, use func(*issuer.Issuer) error) error {
	config, err := d.config()
	if err != nil {
		return err
	}
	store, err := d.open(ctx)
	if err != nil {
		return err
	}
	i, err := issuer.New(ctx, store, config)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	return errors.Join(use(i), i.Close(), store.Close())
}
