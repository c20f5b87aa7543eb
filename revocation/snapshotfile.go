package revocation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/internal/privatefile"
)

// keepEvery is how often a reader looks whether the snapshot in its file is out of reach soon; up to a quarter of it is
// added.
const keepEvery = 4 * time.Minute

// snapshotFile is where a snapshot outlives the reader's process, so that the next one needs segments only. It's the
// snapshot as it came, whose signature is verified when it's read, and it counts no more than one that comes from the
// feed: not before the stream has proven where it leads. The zero value is nowhere.
type snapshotFile struct {
	path string
	read bool // or nothing to read; the reader's goroutine alone goes by it

	mu   sync.Mutex
	head Head          // of the snapshot in the file
	came chan struct{} // holds an element when next is there
	next []byte        // to be written
}

func newSnapshotFile(path string) *snapshotFile {
	return &snapshotFile{path: path, read: path == "", came: make(chan struct{}, 1)}
}

// load reads the file, once. Without one that can be used, the set is nil.
func (f *snapshotFile) load(ctx context.Context, v *StatementVerifier, maxRules int) (Statement, *Set, error) {
	if f.read {
		return Statement{}, nil, nil
	}
	text, err := privatefile.Read(f.path, MaxSnapshot+maxStatement)
	f.read = true
	if errors.Is(err, fs.ErrNotExist) {
		return Statement{}, nil, nil
	}
	if err != nil {
		return Statement{}, nil, fmt.Errorf("revocation: snapshot file: %w", err)
	}
	s, set, err := ReadSnapshot(ctx, bytes.NewReader(text), v, maxRules)
	if errors.Is(err, jot.ErrUnavailable) {
		f.read = false // nobody can tell yet
	}
	if err != nil {
		return Statement{}, nil, fmt.Errorf("revocation: the file %s can't be used: %w", f.path, err)
	}
	f.note(s.Head)
	return s, set, nil
}

func (f *snapshotFile) note(head Head) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.head = head
}

// offer has a snapshot written that came from the feed and was verified.
func (f *snapshotFile) offer(head Head, text []byte) {
	if f.path == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.head, f.next = head, text
	select {
	case f.came <- struct{}{}:
	default:
	}
}

// write puts what was offered into the file.
func (f *snapshotFile) write() error {
	f.mu.Lock()
	text := f.next
	f.next = nil
	f.mu.Unlock()
	if text == nil {
		return nil
	}
	if err := privatefile.Write(f.path, text); err != nil {
		return fmt.Errorf("revocation: the snapshot can't be kept: %w", err)
	}
	return nil
}

// stale reports whether a reader that has come so far should keep a newer snapshot: while half of what segments may
// lead to is left.
func (f *snapshotFile) stale(s State) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return s.LogID != "" && (f.head.LogID != s.LogID || s.Sequence > f.head.Sequence+MaxSegments/2*SegmentRules)
}

// keepSnapshots is the goroutine that writes the file; Close ends it.
func (r *Reader) keepSnapshots(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(keepEvery + rand.N(keepEvery/4))
		select {
		case <-timer.C:
			if r.stored.stale(r.State()) {
				r.tell(r.fetchSnapshot(ctx))
			}
		case <-r.stored.came:
			r.tell(r.stored.write())
		case <-ctx.Done():
		}
		timer.Stop()
	}
	r.tell(r.stored.write())
}

// fetchSnapshot gets a newer snapshot for the file, beside the stream.
func (r *Reader) fetchSnapshot(ctx context.Context) error {
	var text bytes.Buffer
	return r.download(ctx, r.client.snapshot, func(ctx context.Context, body io.Reader) error {
		s, _, err := openSnapshot(ctx, io.TeeReader(body, &text), r.beside)
		if err == nil {
			r.stored.offer(s.Head, text.Bytes())
		}
		return err
	})
}
