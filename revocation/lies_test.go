package revocation

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// lie is a way in which a feed, or whoever stands in between, can lie.
type lie struct {
	name string
	says string // what the operator is told
	mute bool   // it leaves no way to the truth: the lease has to end
	tell func(t *testing.T, f *fakeFeed)
}

func spoilFrame(spoil func(n int, f *Frame, s *Statement)) func(*testing.T, *fakeFeed) {
	return func(_ *testing.T, f *fakeFeed) { f.spoilFrame = spoil }
}

func spoilBytes(spoil func(n int, frame []byte) [][]byte) func(*testing.T, *fakeFeed) {
	return func(_ *testing.T, f *fakeFeed) { f.spoilBytes = spoil }
}

func spoilAnswer(spoil func(snapshot []byte) []byte) func(*testing.T, *fakeFeed) {
	return func(_ *testing.T, f *fakeFeed) {
		f.spoilAnswer = spoil
		f.spoilFrame = func(_ int, _ *Frame, s *Statement) { s.Hash[0] ^= 1 } // makes the reader ask for a snapshot
	}
}

func signWith(alg jot.Algorithm, typ string, known bool) func(*testing.T, *fakeFeed) {
	return func(t *testing.T, f *fakeFeed) {
		key, err := jot.GenerateKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		if known {
			f.keys = jot.NewKeySet(append(f.keys.Keys(), key.Public())...)
		}
		if f.signWith, err = jot.NewSigner(key, jot.SignerOptions{Type: typ}); err != nil {
			t.Fatal(err)
		}
	}
}

func answerWith(status int, mediaType string) func(*testing.T, *fakeFeed) {
	return func(_ *testing.T, f *fakeFeed) {
		f.refuse = func(*http.Request) *http.Response {
			response := answer(status, mediaType, nil)
			response.Header.Set("Location", "https://evil.example.com/feed")
			return response
		}
	}
}

var lies = []lie{
	{"replayed heartbeat", "silent", false, func(_ *testing.T, f *fakeFeed) {
		var before []byte
		f.spoilBytes = func(n int, frame []byte) [][]byte {
			if n < 2 {
				before = frame
			}
			return [][]byte{before}
		}
	}},
	{"replayed rules", "somebody else", false, func(_ *testing.T, f *fakeFeed) {
		f.spoilBytes = func(_ int, frame []byte) [][]byte { return [][]byte{frame, frame} }
	}},
	{"reordered frames", "somebody else", true, func(_ *testing.T, f *fakeFeed) {
		var held []byte
		f.spoilBytes = func(n int, frame []byte) [][]byte {
			if n == 0 || held == nil {
				held = frame
				return nil
			}
			frames := [][]byte{frame, held}
			held = nil
			return frames
		}
	}},
	{"reordered rules", "not the ones in the log", false, spoilFrame(func(_ int, f *Frame, _ *Statement) { slices.Reverse(f.Rules) })},
	{"cut rules", "rules are missing", false, spoilFrame(func(_ int, f *Frame, _ *Statement) { f.Rules = f.Rules[:len(f.Rules)/2] })},
	{"withheld rules", "rules are missing", false, spoilFrame(func(_ int, f *Frame, _ *Statement) { f.Rules = nil })},
	{"forged rules", "not the ones in the log", false, spoilFrame(func(_ int, f *Frame, _ *Statement) {
		for i := range f.Rules {
			f.Rules[i].Value = "harmless"
		}
	})},
	{"time that runs backwards", "backwards", false, spoilFrame(func(n int, _ *Frame, s *Statement) {
		s.Time = s.Time.Add(-time.Duration(n) * time.Hour)
	})},
	{"truncated frame", "something follows", true, spoilBytes(func(_ int, frame []byte) [][]byte { return [][]byte{frame[:len(frame)/2]} })},
	{"fork", "not the ones in the log", true, spoilFrame(func(_ int, _ *Frame, s *Statement) { s.Hash[0] ^= 1 })},
	{"old snapshot and old head", "rolled back", true, func(_ *testing.T, f *fakeFeed) {
		old := f.heads[1]
		f.spoilFrame = func(_ int, frame *Frame, s *Statement) { frame.Rules, s.Head = nil, old }
		f.spoilSnapshot = func(s *Statement, rules []Rule) []Rule {
			s.Head = old
			return rules[:0]
		}
	}},
	{"foreign key", "no key with this token's key ID and algorithm: give the keys of the feed, which the issuer's metadata name as jot_feed_jwks_uri", true, signWith(jot.EdDSA, StatementType, false)},
	{"access token in place of a statement", "another type", true, signWith(jot.EdDSA, "at+jwt", true)},
	{"key of another algorithm", "algorithm", true, signWith(jot.ES256, StatementType, true)},
	{"foreign log", "another log", true, spoilFrame(func(_ int, _ *Frame, s *Statement) { s.LogID = "another" })},
	{"another's nonce", "somebody else", true, spoilFrame(func(_ int, _ *Frame, s *Statement) { s.Nonce = "another's" })},
	{"heartbeat in place of the answer", "somebody else", true, spoilFrame(func(_ int, _ *Frame, s *Statement) { s.Nonce = "" })},
	{"snapshot's statement in a frame", "a frame and its statement", true, spoilFrame(func(_ int, _ *Frame, s *Statement) {
		s.Digest, s.Size = new([32]byte), int64(len(snapshotMagic))
	})},
	{"another id", "belong together", true, spoilBytes(func(_ int, frame []byte) [][]byte {
		return [][]byte{append([]byte("id: 1"), frame[len("id: "):]...)}
	})},
	{"comments", "doesn't begin with its id", true, spoilBytes(func(_ int, frame []byte) [][]byte {
		return [][]byte{append([]byte(": hello\n\n"), frame...)}
	})},
	{"endless line", "a line is longer", true, spoilBytes(func(int, []byte) [][]byte {
		return [][]byte{append([]byte("id: "), make([]byte, 2*maxLine)...)}
	})},
	{"endless frame", "more than 4096 rules", true, spoilBytes(func(_ int, frame []byte) [][]byte {
		rule := []byte(`data: {"kind":"kid","iss":"i","value":"k"}` + "\n")
		return [][]byte{append([]byte("id: 7\n"), bytes.Repeat(rule, MaxFrameRules+1)...)}
	})},
	{"cut snapshot", "unexpected EOF", true, spoilAnswer(func(s []byte) []byte { return s[:len(s)-1] })},
	{"snapshot and more", "more bytes than were signed", true, spoilAnswer(func(s []byte) []byte { return append(s, 0) })},
	{"forged snapshot", "not the ones that were signed", true, spoilAnswer(func(s []byte) []byte {
		return bytes.ReplaceAll(s, []byte("hidden"), []byte("xidden"))
	})},
	{"reordered snapshot", "not the ones that were signed", true, spoilAnswer(func(s []byte) []byte {
		return []byte(strings.NewReplacer("first", "second", "second", "first").Replace(string(s)))
	})},
	{"snapshot of unsigned rules", "feed statement", true, spoilAnswer(func(s []byte) []byte { return s[bytes.IndexByte(s, '\n')+1:] })},
	{"heartbeat for a snapshot", "none of a snapshot", true, func(t *testing.T, f *fakeFeed) {
		signed, err := f.statement(f.head, "").Sign(t.Context(), f.signer, testIssuer)
		if err != nil {
			t.Error(err)
		}
		spoilAnswer(func([]byte) []byte { return []byte(signed + "\n" + snapshotMagic) })(t, f)
	}},
	{"empty snapshot", "unexpected EOF", true, spoilAnswer(func([]byte) []byte { return nil })},
	{"web page", "is not", true, answerWith(http.StatusOK, "text/html")},
	{"error", "answered 500", true, answerWith(http.StatusInternalServerError, "")},
	{"refused credential", "refused the credential", true, answerWith(http.StatusUnauthorized, "")},
	{"redirect", "answered 307", true, answerWith(http.StatusTemporaryRedirect, "")},
}

// A connected reader refuses what a lying feed says, lets its lease run out, tells why, and recovers
// when the feed is honest again.
func TestConnectedReaderRefusesLies(t *testing.T) {
	for _, lie := range lies {
		t.Run(lie.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fakeFeed) {
				f.revoke(sessionRule("first"), sessionRule("second"))
				r := watch(t, f.options())
				defer r.Close()
				time.Sleep(5500 * time.Millisecond)
				r.says("second", jot.Revoked)
				f.do(func() { lie.tell(t, f) })
				if lie.mute {
					f.restart()
				}
				f.revoke(sessionRule("hidden 1"), sessionRule("hidden 2"))
				lie.check(t, f, r)
			})
		})
	}
}

// A reader that starts on a lying feed is fresh only when it has found the truth.
func TestStartingReaderRefusesLies(t *testing.T) {
	for _, lie := range lies {
		if lie.says == "rolled back" {
			continue // only a reader that has seen more can know
		}
		t.Run(lie.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fakeFeed) {
				f.revoke(sessionRule("first"), sessionRule("second"))
				f.do(func() { lie.tell(t, f) })
				r := watch(t, f.options())
				defer r.Close()
				if lie.mute {
					time.Sleep(3 * time.Second)
					r.saysNothing()
				} else {
					time.Sleep(5500 * time.Millisecond)
				}
				f.revoke(sessionRule("hidden 1"), sessionRule("hidden 2"))
				lie.check(t, f, r)
			})
		})
	}
}

// check watches a reader for a minute after rules were hidden from it.
func (l lie) check(t *testing.T, f *fakeFeed, r *watched) {
	t.Helper()
	for elapsed := time.Duration(0); elapsed < time.Minute; elapsed += 100 * time.Millisecond {
		verdict, err := r.CheckRevocation(t.Context(), sessionFacts("hidden 2"))
		switch {
		case l.mute && verdict == jot.Revoked && err == nil:
			t.Fatalf("after %v the lie is believed", elapsed)
		case elapsed > 10*time.Second && err == nil && verdict != jot.Revoked:
			t.Fatalf("after %v a revoked session passes: %v", elapsed, verdict)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if l.mute {
		r.saysNothing()
	} else {
		r.says("hidden 2", jot.Revoked)
	}
	if told := r.told(); !strings.Contains(told, l.says) {
		t.Errorf("the operator is told %q, want %q", told, l.says)
	}
	f.honest()
	time.Sleep(10 * time.Second)
	r.says("hidden 1", jot.Revoked)
	r.says("innocent", jot.Current)
}
