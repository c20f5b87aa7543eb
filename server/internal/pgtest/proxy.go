//go:build unix

package pgtest

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy stands between a server under test and its database, and breaks what it's told to.
type Proxy struct {
	URL string // of the database, through the proxy

	listener net.Listener
	target   string
	mu       sync.Mutex
	open     map[net.Conn]bool
	deafen   atomic.Bool
}

// NewProxy listens for connections to a database until the test ends.
func NewProxy(t testing.TB, database string) *Proxy {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: u.Host, open: make(map[net.Conn]bool)}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	u.Host = p.listener.Addr().String()
	p.URL = u.String()
	go p.accept() // ends with the listener
	t.Cleanup(func() {
		p.listener.Close()
		p.Sever()
	})
	return p
}

// Sever breaks every connection that there is; new ones can be made.
func (p *Proxy) Sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.Close()
	}
}

// LoseNextCommit lets the next COMMIT reach the database and breaks its connection instead of bringing the answer.
func (p *Proxy) LoseNextCommit() { p.deafen.Store(true) }

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.keep(client, server)
		go p.carry(client, server, func([]byte) {}) // these two end with the connections
		go p.carry(server, client, func(b []byte) {
			if bytes.Contains(b, []byte("COMMIT\x00")) && p.deafen.CompareAndSwap(true, false) { // it has committed, and says so
				client.Close()
			}
		})
	}
}

func (p *Proxy) keep(connections ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range connections {
		p.open[c] = true
	}
}

// carry copies bytes, shows them to look first, and closes both ends when either is closed.
func (p *Proxy) carry(from, to net.Conn, look func([]byte)) {
	defer func() {
		from.Close()
		to.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, from)
		delete(p.open, to)
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			look(buffer[:n])
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
