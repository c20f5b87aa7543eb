package revocation_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// An API follows its issuer's feed and refuses revoked tokens without asking anybody.
func ExampleNewReader() {
	var tokenKeys, feedKeys jot.KeySource // both from the issuer's discovery document
	reader, err := revocation.NewReader(revocation.ReaderOptions{
		URL:        "https://auth.example.com/feed",
		Issuer:     "https://auth.example.com",
		Keys:       feedKeys,
		Credential: "from a file that only this API can read",
		OnError:    func(err error) { log.Print(err) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer reader.Close()
	_, err = jot.NewVerifier(tokenKeys, jot.VerifierOptions{
		Issuer: "https://auth.example.com", Audience: "petstore", Type: "at+jwt",
		MaxTTL:     15 * time.Minute, // as long as the issuer's tokens live, and its rules at least
		Revocation: reader,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := reader.WaitFresh(ctx); err != nil { // optional: until then the verifier answers jot.ErrUnavailable
		fmt.Println(err)
	}
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
