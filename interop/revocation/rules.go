package main

import (
	"math/rand/v2"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

const (
	issuerName = "https://auth.example.com"
	idSize     = 26 // of crypto/rand.Text, which the server's IDs are
)

// idsOf makes as many random IDs as asked for, the same ones each time for a seed.
func idsOf(count int, seed uint64) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	random := rand.NewPCG(seed, 0)
	text := make([]byte, count*idSize)
	for n := range text {
		text[n] = alphabet[random.Uint64()%uint64(len(alphabet))]
	}
	return string(text)
}

// sessionRules are rules about one session each, of as many subjects: what logouts leave behind.
func sessionRules(count int) []revocation.Rule {
	subjects, sessions := idsOf(count, 1), idsOf(count, 2)
	expires := time.Now().Add(30 * time.Minute).Unix()
	rules := make([]revocation.Rule, count)
	for n := range rules {
		from, to := n*idSize, (n+1)*idSize
		rules[n] = revocation.Rule{
			Kind: revocation.Session, Issuer: issuerName, Value: sessions[from:to], Subject: subjects[from:to], Expires: expires + int64(n%1800),
		}
	}
	return rules
}

// strangers asks about subjects that no rule names, one after the other in memory, so that what is measured is whoever
// answers.
type strangers struct {
	text []byte
	next int
	jot.RevocationFacts
}

func newStrangers(count int) *strangers {
	return &strangers{text: []byte(idsOf(count, 3)), RevocationFacts: jot.RevocationFacts{
		Issuer: []byte(issuerName), ID: []byte("token"), SessionID: []byte("session"), ClientID: []byte("client_app"), KeyID: "key",
		IssuedAt: time.Now().Unix(), HasIssuedAt: true,
	}}
}

func (s *strangers) ask() *jot.RevocationFacts {
	s.Subject = s.text[s.next : s.next+idSize]
	if s.next += idSize; s.next == len(s.text) {
		s.next = 0
	}
	return &s.RevocationFacts
}

func newSet(rules []revocation.Rule) (*revocation.Set, error) {
	s := revocation.NewSet()
	return s, s.Apply(rules...)
}
