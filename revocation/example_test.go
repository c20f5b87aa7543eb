package revocation_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jottest"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
)

// exampleT lets an example have an issuer that is made for tests.
type exampleT struct {
	testing.TB
	cleanups []func()
}

func (t *exampleT) Helper()          {}
func (t *exampleT) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *exampleT) end() {
	for _, cleanup := range slices.Backward(t.cleanups) {
		cleanup()
	}
}

// An API follows its issuer's feed and refuses revoked tokens without asking anybody.
func ExampleNewReader() {
	t := &exampleT{}
	defer t.end()
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"}) // in production: a jot server, at a URL that you know

	feedKeys, err := jwks.NewSource(issuer.URL+"/feed/jwks.json", jwks.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer feedKeys.Close()
	reader, err := revocation.NewReader(revocation.ReaderOptions{
		URL:        issuer.URL + "/feed",
		Issuer:     issuer.URL,
		Keys:       feedKeys,
		Credential: issuer.FeedCredential, // from a file that only this API can read
		OnError:    func(err error) { log.Print(err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	verifier, err := jot.NewVerifier(issuer, jot.VerifierOptions{
		Issuer: issuer.URL, Audience: "petstore", Type: "at+jwt",
		MaxTTL:     15 * time.Minute, // as long as the issuer's tokens live, and its rules at least
		Revocation: reader,
	})
	if err != nil {
		log.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := reader.WaitFresh(ctx); err != nil { // optional: until then the verifier answers jot.ErrUnavailable
		log.Fatal(err)
	}
	fmt.Println(verifier.Check(ctx, issuer.Token(nil)))
	// Output: <nil>
}

// A verifier far from its issuer bears an outage of half a minute, and takes nothing back when it's started again.
func ExampleReaderOptions() {
	t := &exampleT{}
	defer t.end()
	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
	feedKeys, err := jwks.NewSource(issuer.URL+"/feed/jwks.json", jwks.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer feedKeys.Close()
	stateDir, err := os.MkdirTemp("", "petstore-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(stateDir)
	reader, err := revocation.NewReader(revocation.ReaderOptions{
		URL:          issuer.URL + "/feed",
		Issuer:       issuer.URL,
		Keys:         feedKeys,
		Credential:   issuer.FeedCredential,
		MaxStaleness: 30 * time.Second,
		WithoutLease: revocation.Closed,
		HistoryFile:  filepath.Join(stateDir, "feed.history"),
		SnapshotFile: filepath.Join(stateDir, "feed.snapshot"),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := reader.WaitFresh(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(reader.State().Lease > 0)
	// Output: true
}

// The rules of one subject's logout on one device.
func ExampleSet() {
	rules := revocation.NewSet()
	err := rules.Apply(revocation.Rule{
		Kind: revocation.Session, Issuer: "https://auth.example.com", Value: "sid_1", Subject: "alice",
		Expires: time.Now().Add(time.Hour).Unix(),
	})
	if err != nil {
		fmt.Println(err)
	}
	for _, session := range []string{"sid_1", "sid_2"} {
		verdict := rules.Verdict(&jot.RevocationFacts{
			Issuer: []byte("https://auth.example.com"), Subject: []byte("alice"), SessionID: []byte(session),
		})
		fmt.Println(session, verdict == jot.Revoked)
	}
	// Output:
	// sid_1 true
	// sid_2 false
}

// Two logs with the same head hold the same rules in the same order.
func ExampleHead() {
	first := revocation.Rule{Kind: revocation.Key, Issuer: "https://auth.example.com", Value: "stolen"}
	second := revocation.Rule{Kind: revocation.Key, Issuer: "https://auth.example.com", Value: "lost"}
	issuers, ours := revocation.NewLog("log"), revocation.NewLog("log")
	issuers = issuers.Append(first).Append(second)
	fmt.Println(ours.Append(first).Append(second) == issuers)
	fmt.Println(ours.Append(second).Append(first) == issuers)
	// Output:
	// true
	// false
}

// exampleFeedKey signs statements of a feed, and their verifier knows its public half.
func exampleFeedKey() (*jot.Signer, *revocation.StatementVerifier) {
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: revocation.StatementType})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := revocation.NewStatementVerifier(jot.NewKeySet(key.Public()), "https://auth.example.com")
	if err != nil {
		log.Fatal(err)
	}
	return signer, verifier
}

// What an issuer of one's own answers to GET /feed/snapshot/{seq}, and how a reader takes it in.
func ExampleSnapshot() {
	ctx := context.Background()
	signer, verifier := exampleFeedKey()
	rule := revocation.Rule{Kind: revocation.Key, Issuer: "https://auth.example.com", Value: "stolen"}
	head := revocation.NewLog("log").Append(rule)

	var snapshot revocation.Snapshot
	if err := snapshot.Add(rule); err != nil {
		log.Fatal(err)
	}
	statement := revocation.Statement{Head: head, Time: time.Now(), MaxTTL: 15 * time.Minute}
	answer, err := snapshot.Encode(ctx, signer, "https://auth.example.com", statement)
	if err != nil {
		log.Fatal(err)
	}

	read, rules, err := revocation.ReadSnapshot(ctx, bytes.NewReader(answer), verifier, 1000)
	if err != nil {
		log.Fatal(err)
	}
	verdict := rules.Verdict(&jot.RevocationFacts{Issuer: []byte("https://auth.example.com"), KeyID: "stolen"})
	fmt.Println(read.Head == head, rules.Len(), verdict == jot.Revoked)
	// Output: true 1 true
}

// One event of the live stream: a rule, and the signed statement of where it leads to.
func ExampleFrame() {
	ctx := context.Background()
	signer, verifier := exampleFeedKey()
	rule := revocation.Rule{Kind: revocation.Key, Issuer: "https://auth.example.com", Value: "stolen"}
	before := revocation.NewLog("log")
	after := before.Append(rule)

	signed, err := revocation.Statement{Head: after, Time: time.Now(), MaxTTL: 15 * time.Minute}.Sign(ctx, signer, "https://auth.example.com")
	if err != nil {
		log.Fatal(err)
	}
	event, err := revocation.Frame{Sequence: after.Sequence, Rules: []revocation.Rule{rule}, Statement: signed}.AppendTo(nil)
	if err != nil {
		log.Fatal(err)
	}

	frame, err := revocation.NewFrameReader(bytes.NewReader(event)).Next()
	if err != nil {
		log.Fatal(err)
	}
	statement, err := verifier.Verify(ctx, frame.Statement)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(before.Append(frame.Rules[0]) == statement.Head)
	// Output: true
}
