package revocation

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"reflect"
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
