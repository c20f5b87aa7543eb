package cli

import (
	"io"
	"sync"
	"time"
)

const (
	maxUnwritten = 1 << 20         // bytes of the log that wait, some thousand lines
	lastWords    = 5 * time.Second // for what waits at the end
)

// logWriter keeps the server from waiting for whoever reads its log: a pipe that nobody empties would hold every
// request, and the end. What comes while too much waits is lost, and how much that was is told of afterwards.
type logWriter struct {
	out     io.Writer
	tell    func(lost int) // of lines
	more    chan struct{}
	closing chan struct{}
	ended   chan struct{}

	mu      sync.Mutex
	waiting []byte
	lost    int // lines, since somebody was told

	written []byte // the goroutine's: room for what will wait
}

// startLogWriter starts the goroutine that writes; close ends it. Tell may write to it.
func startLogWriter(out io.Writer, tell func(lost int)) *logWriter {
	w := &logWriter{out: out, tell: tell, more: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{})}
	go w.run()
	return w
}

// Write takes one line, and never fails.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	if len(w.waiting)+len(line) > maxUnwritten {
		w.lost++
	} else {
		w.waiting = append(w.waiting, line...)
	}
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default: // it's told already
	}
	return len(line), nil
}

func (w *logWriter) run() {
	defer close(w.ended)
	for {
		select {
		case <-w.more:
			w.writeWaiting()
		case <-w.closing:
			w.writeWaiting()
			return
		}
	}
}

// writeWaiting writes until nothing waits.
func (w *logWriter) writeWaiting() {
	for lines, lost := w.take(); len(lines) > 0 || lost > 0; lines, lost = w.take() {
		_, _ = w.out.Write(lines) // there is nobody else to be told that it failed
		if lost > 0 {
			w.tell(lost)
		}
	}
}

func (w *logWriter) take() (lines []byte, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines, lost = w.waiting, w.lost
	w.waiting, w.lost, w.written = w.written[:0], 0, lines
	return lines, lost
}

// close waits until all is written, but not for ever: then what waits is lost, and the goroutine ends with the process.
func (w *logWriter) close() {
	close(w.closing)
	select {
	case <-w.ended:
	case <-time.After(lastWords):
	}
}
