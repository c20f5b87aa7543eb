package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// database DIR LOGINS: serves a data directory for a moment, with its key-encryption key beside it, and has a user of
// its own log in as often as the text is long, and log out everywhere. With !, the server must refuse to start.
func useDatabase(ts *testscript.TestScript, refused bool, args []string) {
	err := serveMoment(ts.MkAbs(args[0]), len(args[1]))
	if refused != (err != nil) {
		ts.Fatalf("serving %s: %v", args[0], err)
	}
	if refused {
		ts.Logf("%v", err)
	}
}

func serveMoment(dir string, logins int) (err error) {
	kek, err := server.SecretFile(dir + ".kek")
	if err != nil {
		return err
	}
	config, _ := development("http://127.0.0.1:1", dir, slog.New(slog.NewTextHandler(io.Discard, nil)))
	config.Issuer.KeyEncryptionKey = kek.Bytes()
	ctx := context.Background()
	s, err := server.New(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	subject, err := issuer.NewSubject(nil, nil)
	if err == nil {
		err = s.Issuer().CreateSubject(ctx, subject)
	}
	for range logins {
		if err == nil {
			_, err = s.Issuer().Issue(ctx, issuer.Grant{Subject: subject.ID})
		}
	}
	if err == nil {
		err = s.Issuer().EndSessions(ctx, subject.ID)
	}
	return err
}
