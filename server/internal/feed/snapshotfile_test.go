package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
)

// kept makes a reader that keeps a snapshot in a file.
func (h *house) kept(file string) (*revocation.Reader, func() string) {
	c := &cable{RoundTripper: h.client.Transport}
	return h.overWith(c, func(o *revocation.ReaderOptions) { o.SnapshotFile = file })
}

// A restarted verifier needs what was added since, and answers nothing before the feed has proven that this is all.
func TestSnapshotFileSparesTheSnapshot(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		file := filepath.Join(t.TempDir(), "snapshot")
		h.revoke(0, segment+1)
		first, _ := h.kept(file)
		if err := first.WaitFresh(soon(t)); err != nil {
			t.Fatal(err)
		}
		first.Close()
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
			t.Fatal(info, err)
		}
		h.revoke(segment+1, 4*segment)
		h.end()
		second, _ := h.kept(file)
		defer second.Close()
		time.Sleep(10 * time.Second)
		if _, err := second.CheckRevocation(t.Context(), facts(0)); !errors.Is(err, jot.ErrUnavailable) || second.State().Rules != 0 {
			t.Errorf("without a feed: %v", err)
		}
		h.start(Config{})
		if err := second.WaitFresh(soon(t)); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, segment, 2 * segment, 4*segment - 1} {
			h.says(second, n, jot.Revoked)
		}
		h.says(second, 4*segment, jot.Current)
		if h.count("snapshot") != 1 || h.count("segment/*") == 0 {
			t.Errorf("%d snapshots, %d segments", h.count("snapshot"), h.count("segment/*"))
		}
	})
}

// While a reader runs, its file follows the log: the next start is never too far behind.
func TestSnapshotFileFollowsTheLog(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		file := filepath.Join(t.TempDir(), "snapshot")
		first, _ := h.kept(file)
		for range 3 {
			if err := first.WaitFresh(soon(t)); err != nil {
				t.Fatal(err)
			}
			h.revoke(len(h.log), len(h.log)+17*segment)
			time.Sleep(6 * time.Minute)
		}
		first.Close()
		before := h.count("snapshot")
		if before != 4 {
			t.Errorf("%d snapshots, want one at the start and three later", before)
		}
		second, _ := h.kept(file)
		defer second.Close()
		if err := second.WaitFresh(soon(t)); err != nil {
			t.Fatal(err)
		}
		h.says(second, 0, jot.Revoked)
		h.says(second, 3*17*segment-1, jot.Revoked)
		if h.count("snapshot") != before {
			t.Error("the next start needed a snapshot")
		}
	})
}

// A file that isn't what the feed's key signed, or not of its log, is told of, and left for a snapshot of the feed's.
func TestSnapshotFileThatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(h *house, text []byte) []byte
		mode  os.FileMode
		says  string
	}{
		"truncated":   {func(_ *house, text []byte) []byte { return text[:len(text)-1] }, 0o600, "unexpected EOF"},
		"oversized":   {func(_ *house, text []byte) []byte { return append(text, 0) }, 0o600, "more bytes than were signed"},
		"forged":      {func(_ *house, text []byte) []byte { return bytes.Replace(text, []byte("sid_7"), []byte("sid_x"), 1) }, 0o600, "not the ones that were signed"},
		"empty":       {func(*house, []byte) []byte { return nil }, 0o600, "can't be used"},
		"readable":    {func(_ *house, text []byte) []byte { return text }, 0o644, "others can open"},
		"of format 1": {asFormat1, 0o600, "another version of jot made it"},
		"foreign key": {func(h *house, text []byte) []byte {
			key, signer := newSigner(h.t)
			h.signer, h.keys = signer, jot.NewKeySet(key.Public())
			return text
		}, 0o600, "no key"},
		"of another log": {func(h *house, text []byte) []byte {
			h.do(func() {
				for n := range h.heads {
					h.heads[n].LogID = "another"
				}
				h.log, h.heads = nil, h.heads[:1]
			})
			return text
		}, 0o600, "a snapshot is needed"},
	} {
		t.Run(name, func(t *testing.T) {
			open(t, Config{}, func(t *testing.T, h *house) {
				file := filepath.Join(t.TempDir(), "snapshot")
				h.revoke(0, segment)
				first, _ := h.kept(file)
				if err := first.WaitFresh(soon(t)); err != nil {
					t.Fatal(err)
				}
				first.Close()
				h.end()
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(os.WriteFile(file, c.spoil(h, text), 0o600), os.Chmod(file, c.mode)); err != nil {
					t.Fatal(err)
				}
				h.revoke(segment, segment+9)
				h.start(Config{})
				second, told := h.kept(file)
				if err := second.WaitFresh(soon(t)); err != nil {
					t.Fatal(err)
				}
				h.says(second, segment+8, jot.Revoked)
				if !strings.Contains(told(), c.says) || h.count("snapshot") != 2 {
					t.Errorf("the operator is told %q, want %q; %d snapshots", told(), c.says, h.count("snapshot"))
				}
				second.Close()
				third, told := h.kept(file) // it was replaced
				defer third.Close()
				if err := third.WaitFresh(soon(t)); err != nil || h.count("snapshot") != 2 || told() != "<nil>" {
					t.Errorf("the next start: %v; %d snapshots; %s", err, h.count("snapshot"), told())
				}
			})
		})
	}
}

// asFormat1 signs a snapshot as the version of jot before this one did.
func asFormat1(h *house, text []byte) []byte {
	_, body, _ := bytes.Cut(text, []byte("\n"))
	body = bytes.Replace(body, []byte("snapshot "+revocation.SnapshotFormat+"\n"), []byte("snapshot 1\n"), 1)
	digest := sha256.Sum256(body)
	s := revocation.Statement{Head: h.heads[segment], Time: time.Now(), MaxTTL: h.MaxTTL(), Digest: &digest, Size: int64(len(body))}
	signed, err := s.Sign(h.t.Context(), h.signer, h.URL())
	if err != nil {
		h.t.Fatal(err)
	}
	return slices.Concat([]byte(signed), []byte("\n"), body)
}

// A file is signed, even when it's old: a feed that contradicts it has forked.
func TestSnapshotFileOfAForkedLog(t *testing.T) {
	open(t, Config{}, func(t *testing.T, h *house) {
		file := filepath.Join(t.TempDir(), "snapshot")
		h.revoke(0, segment)
		first, _ := h.kept(file)
		if err := first.WaitFresh(soon(t)); err != nil {
			t.Fatal(err)
		}
		first.Close()
		h.end()
		h.rewind(segment-1, "")
		h.revoke(2*segment, 2*segment+1)
		h.start(Config{})
		second, told := h.kept(file)
		defer second.Close()
		if err := second.WaitFresh(soon(t)); err == nil || !strings.Contains(told(), "forked at or before 4096") {
			t.Errorf("%v; the operator is told %s", err, told())
		}
	})
}

// soon ends after half a minute.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
