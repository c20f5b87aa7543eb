package revocation

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// A statement says where the log is, when, and for how long rules count, whoever signed it.
func TestStatementsAreWhole(t *testing.T) {
	key, signer := feedKey(t)
	verifier, err := NewStatementVerifier(jot.NewKeySet(key.Public()), testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	hash := base64.RawURLEncoding.EncodeToString(make([]byte, sha256.Size))
	for name, c := range map[string]struct {
		good  bool
		spoil func(*statementClaims)
	}{
		"of a frame":           {true, func(*statementClaims) {}},
		"of a snapshot":        {true, func(c *statementClaims) { c.Size, c.Digest = 8, hash }},
		"a log's longest name": {true, func(c *statementClaims) { c.LogID = strings.Repeat("l", maxLogID) }},
		"the end of times":     {true, func(c *statementClaims) { c.Time = maxTime }},
		"the longest life":     {true, func(c *statementClaims) { c.MaxTTL = int64(maxLife / time.Second) }},
		"no log":               {false, func(c *statementClaims) { c.LogID = "" }},
		"too long a name":      {false, func(c *statementClaims) { c.LogID = strings.Repeat("l", maxLogID+1) }},
		"no time":              {false, func(c *statementClaims) { c.Time = 0 }},
		"a time before all":    {false, func(c *statementClaims) { c.Time = -1 }},
		"a time after all":     {false, func(c *statementClaims) { c.Time = maxTime + 1 }},
		"no life":              {false, func(c *statementClaims) { c.MaxTTL = 0 }},
		"a life before":        {false, func(c *statementClaims) { c.MaxTTL = -1 }},
		"a life of ages":       {false, func(c *statementClaims) { c.MaxTTL = int64(maxLife/time.Second) + 1 }},
		"a size alone":         {false, func(c *statementClaims) { c.Size = 8 }},
		"a digest alone":       {false, func(c *statementClaims) { c.Digest = hash }},
		"less than nothing":    {false, func(c *statementClaims) { c.Size, c.Digest = -8, hash }},
		"no hash":              {false, func(c *statementClaims) { c.Hash = "" }},
		"a hash cut":           {false, func(c *statementClaims) { c.Hash = hash[:42] }},
		"a digest too long":    {false, func(c *statementClaims) { c.Size, c.Digest = 8, hash+"AA" }},
		"another issuer":       {false, func(c *statementClaims) { c.Issuer = otherIssuer }},
	} {
		claims := statementClaims{Issuer: testIssuer, LogID: "log", Hash: hash, Time: 1, MaxTTL: 1}
		c.spoil(&claims)
		signed, err := signer.Sign(t.Context(), claims)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := verifier.Verify(t.Context(), signed); (err == nil) != c.good {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// A feed key that is revoked signs nothing, whether the stream's rules say so or those that were proven fresh before.
func TestRevokedFeedKeys(t *testing.T) {
	revoked := newSet(t, Rule{Kind: Key, Issuer: testIssuer, Value: "stolen"})
	stream := newCursor(NewLog("log"), revoked, Head{})
	for name, c := range map[string]struct {
		reader *Reader
		want   jot.Verdict
	}{
		"no rules yet":       {&Reader{}, jot.Current},
		"by the stream":      {&Reader{cursor: stream}, jot.Revoked},
		"before":             {&Reader{history: history{set: revoked}}, jot.Revoked},
		"only by the stream": {&Reader{cursor: stream, history: history{set: NewSet()}}, jot.Revoked},
		"not by the stream":  {&Reader{cursor: newCursor(NewLog("log"), NewSet(), Head{}), history: history{set: revoked}}, jot.Revoked},
	} {
		facts := &jot.RevocationFacts{Issuer: []byte(testIssuer), KeyID: "stolen"}
		if got, err := (feedKeys{c.reader}).CheckRevocation(t.Context(), facts); err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
