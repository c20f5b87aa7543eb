package revocation

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// fuzzFeed is what the fuzz targets share: a key, and something that it signed.
func fuzzFeed(f *testing.F) (*jot.Signer, *StatementVerifier, Statement, string) {
	f.Helper()
	// The key is always the same, so that all workers and later runs share one corpus.
	key, err := jot.NewPrivateKey(jot.EdDSA, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), jot.KeyOptions{})
	if err != nil {
		f.Fatal(err)
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: StatementType})
	if err != nil {
		f.Fatal(err)
	}
	verifier, err := NewStatementVerifier(jot.NewKeySet(key.Public()), testIssuer)
	if err != nil {
		f.Fatal(err)
	}
	s := Statement{Head: NewLog("log").Append(universe()[0]), Time: time.UnixMilli(1_700_000_000_000), MaxTTL: time.Hour, Nonce: "nonce"}
	signed, err := s.Sign(f.Context(), signer, testIssuer)
	if err != nil {
		f.Fatal(err)
	}
	return signer, verifier, s, signed
}

// A statement that verifies is the one that was signed.
func FuzzStatement(f *testing.F) {
	_, verifier, signed, text := fuzzFeed(f)
	f.Add(text)
	f.Add(text[:len(text)-1])
	f.Add(strings.ToUpper(text))
	f.Fuzz(func(t *testing.T, text string) {
		got, err := verifier.Verify(t.Context(), text)
		if err == nil && !reflect.DeepEqual(got, signed) {
			t.Errorf("%q is verified as %+v", text, got)
		}
	})
}

// Signed claims are read whole or refused, and what is read signs to the same claims again.
func FuzzStatementClaims(f *testing.F) {
	signer, verifier, s, _ := fuzzFeed(f)
	f.Add(s.LogID, s.Sequence, "AAAA", s.Time.UnixMilli(), int64(3600), "nonce", "", int64(0), true)
	f.Add("", uint64(0), strings.Repeat("A", 43), int64(-1), int64(0), "", strings.Repeat("A", 43), int64(1), false)
	f.Add("log", uint64(1)<<63, strings.Repeat("A", 43), int64(1)<<62, int64(1)<<62, "n", "AA", int64(-1), false)
	f.Fuzz(func(t *testing.T, log string, sequence uint64, hash string, at, ttl int64, nonce, digest string, size int64, ack bool) {
		claims := statementClaims{testIssuer, log, sequence, hash, at, ttl, nonce, digest, size, ack}
		signed, err := signer.Sign(t.Context(), claims)
		if err != nil {
			return
		}
		got, err := verifier.Verify(t.Context(), signed)
		if err != nil {
			return
		}
		again, err := got.Sign(t.Context(), signer, testIssuer)
		if err != nil || again != signed {
			t.Errorf("%+v is read as %+v, %v", claims, got, err)
		}
	})
}

// Every frame that is read writes back to bytes that read as the same frame, and what was written by
// AppendTo is read whole.
func FuzzFrame(f *testing.F) {
	_, _, _, signed := fuzzFeed(f)
	frame, err := Frame{Sequence: 7, Rules: universe()[:3], Statement: signed}.AppendTo(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame)
	f.Add(append(frame, frame...))
	f.Add([]byte("id: 0\ndata: x\n\n"))
	f.Add([]byte(": comment\nevent: x\nid:1\r\ndata:\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := NewFrameReader(bytes.NewReader(data))
		var back []byte
		for {
			frame, err := in.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			encoded, err := frame.AppendTo(nil)
			if err != nil {
				t.Fatalf("%+v can't be written: %v", frame, err)
			}
			again, err := NewFrameReader(bytes.NewReader(encoded)).Next()
			if err != nil || !reflect.DeepEqual(frame, again) {
				t.Fatalf("%+v is read again as %+v, %v", frame, again, err)
			}
			back = append(back, encoded...)
		}
		if len(data) == 0 != (len(back) == 0) {
			t.Errorf("%q has no frame and no error", data)
		}
	})
}

func FuzzRule(f *testing.F) {
	for _, r := range universe() {
		line, err := appendLine(nil, r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSuffix(line, []byte("\n")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRule(data)
		if err != nil {
			return
		}
		line, err := appendLine(nil, r)
		if err != nil {
			t.Fatalf("%+v can't be written: %v", r, err)
		}
		again, err := parseRule(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil || again != r {
			t.Errorf("%+v is read again as %+v, %v", r, again, err)
		}
	})
}

// A history's file is refused, and nothing of it is believed, or it's saved to one that reads the same.
func FuzzHistoryFile(f *testing.F) {
	good := `{"issuer":"` + testIssuer + `","log_id":"log","sequence":18446744073709551615,"hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","time":1,"max_ttl":1,"retired":["b","a"],"keys":["z","<\u2028"]}`
	for _, seed := range []string{
		``, `{}`, `null`, good, good[:40], strings.Replace(good, `"time":1`, `"time":9223372036854775807`, 1), strings.Replace(good, `"max_ttl":1`, `"max_ttl":-9223372036854775808`, 1),
		strings.Replace(good, `"z"`, `""`, 1), strings.Replace(good, `{`, `{"sequence":2,`, 1), strings.Replace(good, `"log"`, `"`+strings.Repeat("l", maxLogID+1)+`"`, 1),
		strings.Replace(good, `"hash":"`, `"hash":"AAAA`, 1), strings.Replace(good, `"b"`, `"`+strings.Repeat("<", maxHistoryFile/2)+`"`, 1), good + strings.Repeat(" ", maxHistoryFile),
	} {
		f.Add([]byte(seed))
	}
	path, copied := filepath.Join(f.TempDir(), "history"), filepath.Join(f.TempDir(), "history")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := (&historyFile{path: path, issuer: testIssuer}).load()
		if err != nil {
			if !reflect.DeepEqual(h, history{}) {
				t.Errorf("%q: %+v beside %v", text, h, err)
			}
			return
		}
		if len(text) > maxHistoryFile || h.seen.Time.UnixMilli() <= 0 || h.seen.MaxTTL <= 0 || h.high.LogID == "" || h.seen.Head != h.high {
			t.Errorf("%q is believed: %+v", text, h)
		}
		if err := (&historyFile{path: copied, issuer: testIssuer}).save(&h, 0, true); err != nil {
			if len(text) < maxHistoryFile/8 {
				t.Errorf("%q can't be saved: %v", text, err)
			}
			return
		}
		again, err := (&historyFile{path: copied, issuer: testIssuer}).load()
		if err != nil || again.high != h.high || again.seen != h.seen || !maps.Equal(again.retired, h.retired) || !slices.Equal(sortedKeys(again), sortedKeys(h)) {
			t.Errorf("%q is read again as %+v, %v", text, again, err)
		}
	})
}

// sortedKeys are the names of the revoked keys that a history remembers.
func sortedKeys(h history) (names []string) {
	for _, r := range h.revokedKeys() {
		names = append(names, r.Value)
	}
	slices.Sort(names)
	return names
}
