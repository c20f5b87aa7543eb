package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/jot-auth/jot/interop/programs"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// What the server under test serves. The issuer's URL needn't be where it listens.
const (
	issuerURL  = "http://127.0.0.1"
	audience   = "petstore"
	scope      = "pets:read"
	client     = issuer.ClientPrefix + "app"
	credential = "a-feed-credential-for-measuring-on-loopback"
)

// site is a server with its data, and the sessions that clients will end.
type site struct {
	name     string // of its database
	dir      string
	database string // the URL of a PostgreSQL; "" is SQLite
	sessions []issuer.Tokens
}

// start runs the built command.
func (s *site) start(ctx context.Context, binary string) (*programs.Program, error) {
	command := exec.CommandContext(ctx, binary, "serve", "--issuer", issuerURL, "--listen", "127.0.0.1:0", "--admin-listen", "", "--data", s.data(),
		"--resource", audience+"="+scope)
	command.Env = append(os.Environ(), "JOT_FEED_CREDENTIAL="+credential, "JOT_LOG_IN_NO_THROTTLING=true")
	if s.database != "" {
		command.Env = append(command.Env, "JOT_DATABASE="+s.database)
	}
	return programs.Start(command, filepath.Join(s.dir, "log"))
}

func (s *site) data() string { return filepath.Join(s.dir, "data") }

// beginSessions is done before the command runs, by an issuer on the same data.
func (s *site) beginSessions(ctx context.Context, p plan, count int) (err error) {
	kek, err := server.SecretFile(s.data() + ".kek")
	if err != nil {
		return err
	}
	opened, err := server.New(ctx, server.Config{
		Issuer: issuer.Config{
			URL: issuerURL, Resources: []issuer.Resource{{Audience: audience, Scopes: []string{scope}}},
			Clients: []issuer.Client{{ID: client, Scopes: []string{scope}, FirstParty: true}}, KeyEncryptionKey: kek.Bytes(),
		},
		Database: s.database, DataDir: s.data(), FeedCredentials: []string{credential}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	s.sessions = make([]issuer.Tokens, count)
	const workers = 32 // share commits
	var next, done atomic.Int64
	var failed [workers]error
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() { // ends with the sessions, or at a failure
			for n := next.Add(1) - 1; n < int64(count) && failed[w] == nil; n = next.Add(1) - 1 {
				s.sessions[n], failed[w] = beginSession(ctx, opened.Issuer(), fmt.Sprint("subject-", n))
				if d := done.Add(1); d%100 == 0 {
					p.progress.Bar(int(d), count, "sessions in "+s.name)
				}
			}
		})
	}
	all.Wait()
	return errors.Join(failed[:]...)
}

func beginSession(ctx context.Context, i *issuer.Issuer, subject string) (issuer.Tokens, error) {
	if err := i.CreateSubject(ctx, issuer.Subject{ID: subject, Scope: []string{scope}}); err != nil {
		return issuer.Tokens{}, err
	}
	return i.Issue(ctx, issuer.Grant{Subject: subject, AMR: []string{"pwd"}})
}
