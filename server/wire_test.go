package server_test

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire stands between a verifier and its feed, and does to the bytes what networks do.
type wire struct {
	url    string // of the server behind it
	target string

	mu    sync.Mutex
	fault fault
	open  map[*net.TCPConn]bool // the verifiers' ends
	done  chan struct{}
}

// fault is what happens to what the server sends.
type fault struct {
	lost    bool          // nothing arrives, and nobody is told
	late    time.Duration // everything arrives so much later
	closed  bool          // the verifier is told that no more will come, while what it sends is taken
	doubled bool          // every piece arrives twice
}

func newWire(t *testing.T, url string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{url: "http://" + listener.Addr().String(), target: strings.TrimPrefix(url, "http://"), open: make(map[*net.TCPConn]bool), done: make(chan struct{})}
	go w.accept(listener) // ends with the listener
	t.Cleanup(func() {
		listener.Close()
		close(w.done)
		w.mu.Lock()
		defer w.mu.Unlock()
		for c := range w.open {
			c.Close()
		}
	})
	return w
}

// suffer makes the fault happen from now on, to the connections that there are and to later ones.
func (w *wire) suffer(f fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
	for c := range w.open {
		if f.closed {
			c.CloseWrite()
		}
	}
}

// heal ends the connections that suffered, too.
func (w *wire) heal() {
	w.suffer(fault{})
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		c.Close()
	}
}

func (w *wire) suffers() fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

func (w *wire) accept(listener net.Listener) {
	for {
		verifier, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.target)
		if err != nil {
			verifier.Close()
			continue
		}
		go w.connect(verifier.(*net.TCPConn), server) // ends with the connections
	}
}

func (w *wire) connect(verifier *net.TCPConn, server net.Conn) {
	w.mu.Lock()
	w.open[verifier] = true
	if w.fault.closed {
		verifier.CloseWrite()
	}
	w.mu.Unlock()
	pieces := make(chan piece, 1000)
	go w.deliver(verifier, pieces)
	go func() { // ends with the verifier's end
		defer server.Close()
		w.carry(verifier, func(data []byte) bool {
			if w.suffers().lost {
				return true
			}
			_, err := server.Write(data)
			return err == nil
		})
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.open, verifier)
	}()
	defer close(pieces)
	w.carry(server, func(data []byte) bool {
		f := w.suffers()
		if f.lost {
			return true
		}
		p := piece{time.Now().Add(f.late), append([]byte(nil), data...)}
		if f.doubled {
			pieces <- p
		}
		pieces <- p
		return true
	})
}

// piece is what was sent, and when it arrives.
type piece struct {
	at   time.Time
	data []byte
}

func (w *wire) carry(from net.Conn, take func(data []byte) bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !take(buffer[:n]) || err != nil {
			return
		}
	}
}

// deliver ends with the server's end of the connection, or the test.
func (w *wire) deliver(verifier *net.TCPConn, pieces <-chan piece) {
	defer verifier.Close()
	for p := range pieces {
		select {
		case <-time.After(time.Until(p.at)):
		case <-w.done:
			return
		}
		if _, err := verifier.Write(p.data); err != nil {
			for range pieces { // until the server's end is closed, too
			}
			return
		}
	}
	for w.suffers().lost { // the end of a connection is lost, as its bytes are
		select {
		case <-time.After(10 * time.Millisecond):
		case <-w.done:
			return
		}
	}
}

// status asks an API for its answer.
func statusOf(t *testing.T, api, token string) (status int, retryAfter string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("Retry-After")
}
