package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	witnessInterval = time.Second      // between two writes of the file, at least
	witnessLook     = 2 * time.Second  // between two looks at a log that seems to stand still
	witnessMark     = 10 * time.Second // between two marks of a database whose log does
	witnessTimeout  = 5 * time.Second  // for one look
)

// adviceRewound says what to do about issuer.ErrRewound.
const adviceRewound = "nothing is served from it, since what was revoked meanwhile would be valid again: 'jot recover' ends every session and refuses every token of before"

// witness remembers outside the database how far it had come, and sees a database that comes back from the past: at
// the start, and under a server that runs, as when a standby is promoted. No request waits for it.
type witness struct {
	path   string
	issuer *issuer.Issuer
	store  issuer.Store
	logger *slog.Logger

	rewound atomic.Pointer[error] // nil while all is well

	// Only the goroutine touches these, and close after it has ended.
	last   issuer.Witness
	marked time.Time // when that was, on the local clock
	failed bool

	cancel context.CancelFunc
	ended  chan struct{}
}

// checkWitness compares the database with the witness file before anything is served or written. Where there is no
// file, nobody has seen anything.
func checkWitness(ctx context.Context, store issuer.Store, path string) error {
	seen, err := readWitness(path)
	if path == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return adviseUnread(err)
	}
	return adviseRewound(issuer.CheckWitness(ctx, store, seen), path)
}

// adviseUnread says what to do about a witness that can't be read. One that belongs to another user is as good as
// before: root's, after a recovery, say.
func adviseUnread(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the witness of the revocation log: %w; give it to the user that the server runs as", err)
	}
	return fmt.Errorf("%w; when you know that the database is the latest one, remove it", err)
}

func adviseRewound(err error, path string) error {
	if errors.Is(err, issuer.ErrRewound) {
		return fmt.Errorf("%w (%s remembers); %s", err, path, adviceRewound)
	}
	return err
}

// startWitness writes the file, and starts the goroutine that keeps it up to date; close ends it. Without a path there
// is no witness: nil.
func startWitness(ctx context.Context, path string, store issuer.Store, i *issuer.Issuer, logger *slog.Logger) (*witness, error) {
	if path == "" {
		return nil, nil
	}
	w := &witness{path: path, issuer: i, store: store, logger: logger, ended: make(chan struct{})}
	seen, err := i.Witness(ctx, issuer.Witness{}) // which was checked already
	if err != nil {
		return nil, fmt.Errorf("the witness of the revocation log: %w", err)
	}
	if err := writeWitness(path, seen); err != nil {
		return nil, fmt.Errorf("writing the witness of the revocation log: %w; name another place as WitnessFile, outside of the data directory", err)
	}
	w.last, w.marked = seen, time.Now()
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go w.keep(ctx)
	return w, nil
}

// close ends the goroutine, waits for it, and writes the last head.
func (w *witness) close() error {
	w.cancel()
	<-w.ended
	return w.look(context.Background(), true)
}

func (w *witness) keep(ctx context.Context) {
	defer close(w.ended)
	for ctx.Err() == nil {
		changed := w.issuer.LogChanged() // before the log is read, so that nothing is missed
		w.report(w.look(ctx, false))
		sleep(ctx, witnessInterval, nil)
		sleep(ctx, witnessLook-witnessInterval, changed)
	}
}

func sleep(ctx context.Context, d time.Duration, early <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-early:
	case <-ctx.Done():
	}
}

// look holds the database against what was seen of it, and remembers it anew where its log has grown, and from time to
// time; at the end always.
func (w *witness) look(ctx context.Context, always bool) error {
	ctx, cancel := context.WithTimeout(ctx, witnessTimeout)
	defer cancel()
	if err := issuer.CheckWitness(ctx, w.store, w.last); err != nil {
		if errors.Is(err, issuer.ErrRewound) {
			w.rewound.Store(&err)
		}
		return err
	}
	w.rewound.Store(nil)
	head, err := w.issuer.LogHead(ctx)
	if err != nil || !always && head == w.last.Head && time.Since(w.marked) < witnessMark {
		return err
	}
	seen, err := w.issuer.Witness(ctx, w.last)
	if err == nil {
		err = writeWitness(w.path, seen)
	}
	if err == nil {
		w.last, w.marked = seen, time.Now()
	}
	return err
}

// report logs the first failure of several, and the end of them.
func (w *witness) report(err error) {
	switch {
	case errors.Is(err, context.Canceled): // the server is closed
		return
	case err != nil && !w.failed:
		w.logger.Error("witness of the revocation log", slog.Any("error", adviseRewound(err, w.path)))
	case err == nil && w.failed:
		w.logger.Info("witness of the revocation log is up to date again")
	}
	w.failed = err != nil
}

// check returns what is wrong with the database, or nil.
func (w *witness) check() error {
	if w == nil {
		return nil
	}
	if rewound := w.rewound.Load(); rewound != nil {
		return *rewound
	}
	return nil
}

// guard answers 503 to everything but /healthz while the database is one of the past.
func (w *witness) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := w.check(); err != nil && !strings.HasSuffix(r.URL.Path, "/healthz") {
			web.Fail(rw, r, fmt.Errorf("%w: %w", issuer.ErrUnavailable, err))
			return
		}
		next.ServeHTTP(rw, r)
	})
}
