package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	sessionsPerSubject = 10
	subjectsPerCommit  = 200

	userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	address   = "203.0.113.7" // RFC 5737
)

// runSeed fills the data directory of a server that isn't running yet.
func runSeed(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	d := deployment{url: os.Getenv(databaseVariable)}
	flags := flag.NewFlagSet("load seed", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&d.dir, "data", "", "the server's data directory, made when missing; with a PostgreSQL in $"+databaseVariable+", only its name counts")
	sessions := flags.Int("sessions", 1_000_000, "how many sessions to add")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if d.dir == "" || flags.NArg() > 0 || *sessions < 1 || *sessions > maxSessions {
		return fmt.Errorf("seed needs -data, -sessions from 1 to %d, and no arguments", maxSessions)
	}
	if _, err := d.config(); err != nil { // makes the key-encryption key, without which a server takes the database for somebody's lost one
		return err
	}
	progress := measure.NewProgress(stderr)
	began := time.Now()
	if err := d.seed(ctx, *sessions, progress); err != nil {
		return err
	}
	progress.Clear()
	_, err := fmt.Fprintf(stdout, "%d sessions in %v; serve them with jot serve --data %s, and the issuer, resource and scopes that you like\n",
		*sessions, time.Since(began).Round(time.Millisecond), d.dir)
	return err
}

// seed adds sessions as logins would have, ten for each new subject. Nobody holds their refresh tokens.
func (d deployment) seed(ctx context.Context, sessions int, progress *measure.Progress) error {
	store, err := d.open(ctx)
	if err != nil {
		return err
	}
	for done := 0; done < sessions && err == nil; {
		var added int
		// One commit for many subjects with their sessions, for the disk's sake. An interruption leaves whole ones.
		err = store.Update(ctx, func(tx issuer.Tx) error {
			added, err = seedSubjects(tx, min(subjectsPerCommit*sessionsPerSubject, sessions-done))
			return err
		})
		done += added
		progress.Bar(done, sessions, "sessions")
	}
	return errors.Join(err, store.Close())
}

// seedSubjects adds as many subjects as so many sessions need, and returns the number of sessions.
func seedSubjects(tx issuer.Tx, sessions int) (int, error) {
	now, err := tx.Now()
	if err != nil {
		return 0, err
	}
	var subject string
	for n := range sessions {
		if n%sessionsPerSubject == 0 {
			subject = rand.Text()
			if err := tx.InsertSubject(issuer.Subject{ID: subject, Generation: 1, Claims: json.RawMessage("{}"), Scope: scopes, Created: now}); err != nil {
				return 0, err
			}
		}
		if err := tx.InsertSession(newSession(subject, now)); err != nil {
			return 0, err
		}
	}
	return sessions, nil
}

// newSession is what issuer.Issue would store.
func newSession(subject string, now time.Time) issuer.Session {
	return issuer.Session{
		ID: rand.Text(), Subject: subject, ClientID: client, Resource: audience, Scope: scopes, AMR: []string{"pwd"},
		AuthTime: now, UserAgent: userAgent, Address: address, Created: now, LastUsed: now,
		IdleExpires: now.Add(30 * 24 * time.Hour), Expires: now.Add(90 * 24 * time.Hour),
		Counters: issuer.Counters{Current: 1, RotatedAt: now},
	}
}
