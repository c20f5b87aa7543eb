//go:build unix

package server_test

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// cable is a TCP proxy that can be cut: what is sent then is held back, and neither side notices.
type cable struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	cut      chan struct{} // open while it is cut; nil: it isn't
}

func newCable(t *testing.T, url string) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: listener, target: strings.TrimPrefix(url, "http://")}
	t.Cleanup(func() {
		listener.Close()
		c.sever(false)
	})
	go c.run() // ends with the listener
	return c
}

func (c *cable) url() string { return "http://" + c.listener.Addr().String() }

func (c *cable) sever(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cut {
		c.cut = make(chan struct{})
	} else if c.cut != nil {
		close(c.cut)
		c.cut = nil
	}
}

func (c *cable) run() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.target)
		if err != nil {
			near.Close()
			continue
		}
		go c.carry(near, far) // these two end with the connections
		go c.carry(far, near)
	}
}

func (c *cable) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		c.mu.Lock()
		cut := c.cut
		c.mu.Unlock()
		if cut != nil {
			<-cut
		}
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}
