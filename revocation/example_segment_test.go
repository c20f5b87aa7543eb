package revocation_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/jot-auth/jot/revocation"
)

// A server writes a whole segment of its log, for caches to keep; who reads it reckons the head to which it leads.
func ExampleAppendSegment() {
	rules := make([]revocation.Rule, revocation.SegmentRules)
	for i := range rules {
		rules[i] = revocation.Rule{Kind: revocation.Session, Issuer: "https://auth.example.com", Value: fmt.Sprint("session ", i), Subject: "ada", Expires: 1_800_000_000}
	}
	segment, err := revocation.AppendSegment(nil, rules)
	if err != nil {
		log.Fatal(err)
	}

	after, err := revocation.ParseSequence("0") // as it stands in a request
	if err != nil {
		log.Fatal(err)
	}
	read, err := revocation.ReadSegment(bytes.NewReader(segment))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(read), "rules after", after, "the last about", read[len(read)-1].Value)
	// Output: 4096 rules after 0 the last about session 4095
}
