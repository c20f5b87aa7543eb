package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// connection reads the feed as cheaply as can be, and notes when it had come to which sequence.
type connection struct {
	socket  net.Conn
	reading chan struct{} // closed at the end
	once    sync.Once
	arrived []arrival // once reading is closed
	err     error
}

type arrival struct {
	sequence uint64
	at       time.Time
}

func newNonce() string { return rand.Text() }

// connect returns when the first frame is there. It connects to loopback and nowhere else.
func connect(base, at string) (*connection, error) {
	address, err := netip.ParseAddrPort(strings.TrimPrefix(base, "http://"))
	if err != nil || !address.Addr().IsLoopback() {
		return nil, fmt.Errorf("%s is not on loopback", base)
	}
	socket, err := net.Dial("tcp", address.String())
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(socket, 16<<10)
	_, err = fmt.Fprintf(socket, "GET %s%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", at, newNonce(), address, credential)
	if err == nil {
		err = expectStream(in)
	}
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	c := &connection{socket: socket, reading: make(chan struct{})}
	go c.read(in) // ends with the socket
	return c, nil
}

func expectStream(in *bufio.Reader) error {
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the feed answers %s", answer.Status)
	}
	_, err = in.Peek(1)
	return err
}

// read looks for the lines that begin a frame. They may be cut between two reads, and then count with the next frame.
func (c *connection) read(in *bufio.Reader) {
	defer close(c.reading)
	const mark = "\nid: "
	buffer := make([]byte, 1+16<<10) // the first byte is the last one of the read before
	for {
		n, err := in.Read(buffer[1:])
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				c.err = err
			}
			return
		}
		at := time.Now()
		for text := buffer[:1+n]; ; {
			start := bytes.Index(text, []byte(mark))
			if start < 0 {
				break
			}
			text = text[start+len(mark):]
			if sequence, whole := number(text); whole && (len(c.arrived) == 0 || sequence > c.arrived[len(c.arrived)-1].sequence) {
				c.arrived = append(c.arrived, arrival{sequence, at})
			}
		}
		buffer[0] = buffer[n]
	}
}

// number reads the digits of a line that must be whole.
func number(text []byte) (n uint64, whole bool) {
	for _, digit := range text {
		if digit == '\n' {
			return n, true
		}
		n = 10*n + uint64(digit-'0')
	}
	return 0, false
}

// close returns what has arrived.
func (c *connection) close() ([]arrival, error) {
	c.once.Do(func() { c.socket.Close() })
	<-c.reading
	return c.arrived, c.err
}
