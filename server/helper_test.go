//go:build unix

package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// helperVariable tells this test binary to be a replica or a verifier, as a process that can be killed or suspended.
const helperVariable = "JOT_TEST_HELPER"

// helper is what such a process is told.
type helper struct {
	Feed, Issuer, Token  string // of a verifier
	Credential, Database string
	Key                  []byte
}

func init() {
	text := os.Getenv(helperVariable)
	if text == "" {
		return
	}
	var h helper
	err := json.Unmarshal([]byte(text), &h)
	if err == nil && h.Feed == "" {
		err = h.replicate()
	} else if err == nil {
		err = h.verify()
	}
	fmt.Println(err)
	os.Exit(1)
}

// config is that of every replica.
func (h helper) config() server.Config {
	return server.Config{
		Issuer: issuer.Config{
			URL: h.Issuer, KeyEncryptionKey: h.Key,
			Resources: []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}},
			Clients:   []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}},
		},
		Database: h.Database, FeedCredentials: []string{h.Credential}, NoThrottling: true, OpenSignUp: true, FeedMaxStaleness: 20 * time.Second,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// replicate serves until it is killed, and prints its address.
func (h helper) replicate() error {
	s, err := server.New(context.Background(), h.config())
	if err != nil {
		return err
	}
	fmt.Println(httptest.NewServer(s.Handler()).URL)
	select {}
}

// verify prints, again and again, when it began to check its token, and what it found.
func (h helper) verify() error {
	reader, verifier, err := h.follow()
	if err != nil {
		return err
	}
	if err := reader.WaitFresh(context.Background()); err != nil {
		return err
	}
	for {
		began := time.Now().UnixNano()
		_, err := fmt.Println(began, verifier.Check(context.Background(), h.Token) == nil)
		if err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// follow is an API's verifier.
func (h helper) follow() (*revocation.Reader, *jot.Verifier, error) {
	feedKeys, err1 := jwks.NewSource(h.Feed+"/feed/jwks.json", jwks.Options{})
	keys, err2 := jwks.NewSource(h.Feed+"/.well-known/jwks.json", jwks.Options{})
	if err := errors.Join(err1, err2); err != nil {
		return nil, nil, err
	}
	reader, err := revocation.NewReader(revocation.ReaderOptions{
		URL: h.Feed + "/feed", Issuer: h.Issuer, Keys: feedKeys, Credential: h.Credential, MaxStaleness: staleness,
	})
	if err != nil {
		return nil, nil, err
	}
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{Issuer: h.Issuer, Audience: "petstore", Type: "at+jwt", Revocation: reader})
	return reader, verifier, err
}

// spawn starts this binary as a helper, which the test ends, and returns what it prints.
func (h helper) spawn(t *testing.T) (*os.Process, *bufio.Scanner) {
	t.Helper()
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), helperVariable+"="+string(text))
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	return command.Process, bufio.NewScanner(out)
}

// lastAccepted follows what a verifier in another process says: the time, in Unix nanoseconds, at which its last check
// began that accepted.
func lastAccepted(said *bufio.Scanner) *atomic.Int64 {
	var accepted atomic.Int64
	go func() { // ends with the process
		for said.Scan() {
			var at int64
			var ok bool
			if _, err := fmt.Sscan(said.Text(), &at, &ok); err == nil && ok {
				accepted.Store(at)
			}
		}
	}()
	return &accepted
}
